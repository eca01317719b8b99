"""Optimisers and learning rate schedulers."""

from __future__ import annotations

from kagari.optim import lr_scheduler, swa_utils
from kagari.optim._adafactor import Adafactor
from kagari.optim._muon import Muon
from kagari.optim.adadelta import Adadelta
from kagari.optim.adagrad import Adagrad
from kagari.optim.adam import Adam
from kagari.optim.adamax import Adamax
from kagari.optim.adamw import AdamW
from kagari.optim.asgd import ASGD
from kagari.optim.lbfgs import LBFGS
from kagari.optim.nadam import NAdam
from kagari.optim.optimizer import Optimizer
from kagari.optim.radam import RAdam
from kagari.optim.rmsprop import RMSprop
from kagari.optim.rprop import Rprop
from kagari.optim.sgd import SGD
from kagari.optim.sparse_adam import SparseAdam

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SparseAdam",
    "lr_scheduler",
    "swa_utils",
]
