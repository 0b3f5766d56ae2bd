public import Searchers

// What searches ask for is what predictors give.
extension AccuracyPredictor: ArchitectureScorer {}
extension LookupTablePredictor: CostModel {}
extension FewShotCost: CostModel {}
extension KernelCost: CostModel {}
extension NetworkAccuracyScorer: ArchitectureScorer {}
extension NetworkRankingScorer: ArchitectureScorer {}
