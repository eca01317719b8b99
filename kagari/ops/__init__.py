"""Functions composed of primitives, a file per family; importing a file declares its ops."""

from kagari.ops import aten as aten
from kagari.ops import attention as attention
from kagari.ops import calculus as calculus
from kagari.ops import complex as complex
from kagari.ops import ctc as ctc
from kagari.ops import dropout as dropout
from kagari.ops import einsum as einsum
from kagari.ops import embedding as embedding
from kagari.ops import fft as fft
from kagari.ops import indexing as indexing
from kagari.ops import joining as joining
from kagari.ops import linalg as linalg
from kagari.ops import loss as loss
from kagari.ops import matmul as matmul
from kagari.ops import native as native
from kagari.ops import pointwise as pointwise
from kagari.ops import random as random
from kagari.ops import reduce as reduce
from kagari.ops import resample as resample
from kagari.ops import rnn as rnn
from kagari.ops import signal as signal
from kagari.ops import sorting as sorting
from kagari.ops import special as special
from kagari.ops import statistics as statistics
from kagari.ops import views as views
from kagari.ops import weight_norm as weight_norm
