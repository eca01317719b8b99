"""Linear algebra: composites of the factorisations, solvers and products that are rows."""

from kagari.ops.linalg import distances as distances
from kagari.ops.linalg import factorisations as factorisations
from kagari.ops.linalg import functions as functions
from kagari.ops.linalg import lowrank as lowrank
from kagari.ops.linalg import norms as norms
from kagari.ops.linalg import products as products
from kagari.ops.linalg import solvers as solvers
from kagari.ops.linalg import spectral as spectral
