"""Lets the published `ofa` package be imported: import this first.

The package imports a data loader that needs torchvision; nothing here uses it.
"""

import sys
import types

loader = types.ModuleType("ofa.utils.my_dataloader")
loader.__path__ = []
sys.modules["ofa.utils.my_dataloader"] = loader
