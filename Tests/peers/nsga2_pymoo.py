"""Makes Tests/SearchersTests/Goldens/nsga2.json: what pymoo finds where our NSGA-II must agree.

Fronts, crowding distances and hypervolumes of random points are compared number by number;
the hypervolume of whole runs on integer ZDT1 and ZDT2 as a distribution over seeds.

    pip install pymoo && python3 Tests/peers/nsga2_pymoo.py
"""
import json
import math
import pathlib

import numpy as np
import pymoo
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.mutation import Mutation
from pymoo.core.problem import Problem
from pymoo.indicators.hv import HV
from pymoo.operators.crossover.ux import UX
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.optimize import minimize
from pymoo.operators.survival.rank_and_crowding.metrics import calc_crowding_distance
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

GENES, CHOICES, POPULATION, GENERATIONS = 10, 32, 40, 60


def points():
    rng = np.random.default_rng(1)
    cases = []
    for objectives in (2, 3, 4):
        for count in (1, 3, 10, 60):
            values = rng.random((count, objectives))
            fronts = NonDominatedSorting().do(values)
            cases.append({
                "points": values.tolist(),
                "fronts": [sorted(int(i) for i in front) for front in fronts],
                # -1 stands for infinity.
                "crowding": [
                    [-1 if math.isinf(d) else float(d)
                     for d in calc_crowding_distance(values[sorted(front)])]
                    for front in fronts],
                "hypervolume": float(HV(ref_point=np.full(objectives, 1.1))(values)),
            })
    return cases


class IntegerZDT(Problem):
    """ZDT1 or ZDT2 (Zitzler, Deb and Thiele 2000) on a grid."""

    def __init__(self, power):
        super().__init__(n_var=GENES, n_obj=2, xl=0, xu=CHOICES - 1, vtype=int)
        self.power = power

    def _evaluate(self, x, out, *args, **kwargs):
        x = x / (CHOICES - 1)
        g = 1 + 9 * x[:, 1:].mean(axis=1)
        out["F"] = np.column_stack([x[:, 0], g * (1 - (x[:, 0] / g) ** self.power)])


class DrawAnew(Mutation):
    """Each gene is drawn anew with probability 0.1."""

    def _do(self, problem, X, **kwargs):
        rng = kwargs.get("random_state") or np.random
        drawn = IntegerRandomSampling().do(problem, len(X), **kwargs).get("X")
        return np.where(rng.random(X.shape) < 0.1, drawn, X)


def runs(power):
    volumes = []
    for seed in range(11):
        algorithm = NSGA2(
            pop_size=POPULATION, sampling=IntegerRandomSampling(), crossover=UX(prob=0.9),
            mutation=DrawAnew(prob=1.0), eliminate_duplicates=False)
        result = minimize(IntegerZDT(power), algorithm, ("n_gen", GENERATIONS + 1), seed=seed)
        volumes.append(float(HV(ref_point=np.array([1.1, 1.1]))(result.pop.get("F"))))
    return sorted(volumes)


if __name__ == "__main__":
    golden = {
        "pymoo": pymoo.__version__, "cases": points(), "genes": GENES, "choices": CHOICES,
        "population": POPULATION, "generations": GENERATIONS,
        "zdt1": runs(0.5), "zdt2": runs(2.0),
    }
    path = pathlib.Path(__file__).parents[1] / "SearchersTests/Goldens/nsga2.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(golden) + "\n")
