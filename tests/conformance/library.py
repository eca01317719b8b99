"""The library under test beside PyTorch: names, conversion of values, walking of structures.

The oracle is the torch of the running interpreter; the library under test is a second module in the
same process. Values cross between the two through NumPy only.
"""

import dataclasses
import enum
import functools
import importlib
import os
import re
import sys
import types
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np
import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(1)


BAD = ("wrong", "error", "missing", "crash", "timeout")  # statuses that count against a check
ALLOWED_EXC = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)


# the library under test


class Missing(Exception):
    """A name that torch has and the target has not."""


class ConvError(Exception):
    """An input could not be built in the target."""


def first_line(e, limit=200):
    if isinstance(e, BaseException):
        s = str(e).strip().splitlines()
        s = f"{type(e).__name__}: {s[0] if s else ''}"
    else:
        s = str(e)
    return s[:limit]


class Namespace:
    """Stands for `torch.<path>` in rebound torch code: resolves attributes in the target."""

    def __init__(self, target, path):
        self.__dict__.update(_t=target, _p=path)

    def __getattr__(self, name):
        try:
            return self._t.resolve(f"{self._p}.{name}")
        except Missing as e:
            raise AttributeError(str(e)) from None


class Target:
    def __init__(self, name):
        self.name, self.m, self.err = name, None, None
        try:
            self.m = importlib.import_module(name)
        except Exception as e:
            self.err = first_line(e)
        self._cache = {}
        self._globals = {}
        self._keep = []
        self.exact_storage = False  # also give views their base's storage (for as_strided)
        if self.m is not None and name != "torch":
            self.m.set_num_threads(1)

    # -- names ------------------------------------------------------------------------------
    def resolve(self, path):
        """The object at a dotted path (without the leading library name)."""
        if path in self._cache:
            return self._cache[path]
        if self.m is None:
            raise Missing(path)
        obj, parts = self.m, path.split(".")
        for i, p in enumerate(parts):
            try:
                obj = getattr(obj, p)
            except AttributeError:
                try:
                    obj = importlib.import_module(".".join([self.name, *parts[: i + 1]]))
                except Exception:
                    raise Missing(path) from None
        self._cache[path] = obj
        return obj

    def has(self, path):
        try:
            self.resolve(path)
            return True
        except Missing:
            return False

    def is_tensor(self, x):
        if self.m is None or isinstance(x, (np.ndarray, np.generic)):
            return False
        try:
            if isinstance(x, self.resolve("Tensor")):
                return True
        except (Missing, TypeError):
            pass
        return all(hasattr(x, a) for a in ("numpy", "shape", "dtype", "dim"))

    def dtype_name(self, x):
        return dtype_name(x)

    def dtype(self, name):
        return self.resolve(name)

    # -- tensors out ------------------------------------------------------------------------
    def to_numpy(self, x):
        """The values of a target tensor as numpy (bfloat16 and small floats as float32)."""
        x = x.detach()
        lay = str(getattr(x, "layout", "strided"))
        if "sparse" in lay:
            x = x.to_dense()
        for f in ("resolve_conj", "resolve_neg"):
            if hasattr(x, f):
                x = getattr(x, f)()
        n = dtype_name(x.dtype)
        if n == "bfloat16" or n.startswith("float8"):
            x = x.to(self.dtype("float32"))
        elif n == "complex32":
            x = x.to(self.dtype("complex64"))
        try:
            return np.asarray(x.numpy())
        except Exception as e:
            try:
                return np.asarray(x.numpy(force=True))  # torch's ZeroTensor needs it
            except Exception:
                raise e from None

    # -- tensors in -------------------------------------------------------------------------
    def tensor(self, a, dt=None, requires_grad=False):
        """A target tensor from a numpy array, in dtype `dt` (a torch dtype name) if given."""
        a = np.asarray(a)
        if not a.flags.c_contiguous:
            a = np.ascontiguousarray(a).reshape(a.shape)
        want = dt or str(a.dtype)
        d = self.dtype(want)
        try:
            t = self.m.tensor(a)
        except Missing:
            raise
        except Exception as e1:
            try:
                t = self.m.from_numpy(a.copy())
            except Exception:
                raise ConvError(f"tensor(numpy {a.dtype} {a.shape}): {first_line(e1)}") from None
        if dtype_name(t.dtype) != want:
            t = t.to(d)
        if requires_grad:
            t.requires_grad_()
        return t

    def from_torch(self, t):
        """The same tensor in the target: values, dtype, and strides where that is simple."""
        t0, t = t, t.detach()
        if t.layout != torch.strided:
            return self._sparse(t0)
        if t.is_conj() or t.is_neg():
            t = t.resolve_conj().resolve_neg()
        n = dtype_name(t.dtype)
        out = None
        if t.numel() and (
            not t.is_contiguous()
            or (self.exact_storage and t.numel() * t.element_size() != t.untyped_storage().nbytes())
        ):
            out = self._noncontiguous(t, n)
        if out is None:
            out = self.tensor(torch_to_numpy(t), n)
        if t0.requires_grad:
            out = out.detach().requires_grad_()
        return out

    def _noncontiguous(self, t, n):
        ref = torch_to_numpy(t)
        shape, stride = tuple(t.shape), tuple(t.stride())
        order = sorted(range(t.dim()), key=lambda i: (-stride[i], -shape[i]))
        base = t.permute(order)
        if base.is_contiguous() and not self.exact_storage:
            inv = [order.index(i) for i in range(t.dim())]
            out = self.tensor(torch_to_numpy(base), n).permute(*inv)
        else:
            store = torch.empty(0, dtype=t.dtype).set_(t.untyped_storage())
            if store.numel() > 1 << 20:
                return None
            flat = self.tensor(torch_to_numpy(store), n)
            out = flat.as_strided(shape, stride, t.storage_offset())
        if tuple(out.shape) == shape and np.array_equal(self.to_numpy(out), ref, equal_nan=True):
            return out
        return None

    def _sparse(self, t):
        lay = str(t.layout).split(".")[-1]
        if lay == "sparse_coo":
            i, v = (t._indices(), t._values())
            out = self.resolve("sparse_coo_tensor")(
                self.from_torch(i), self.from_torch(v), tuple(t.shape)
            )
        else:
            rows = (
                (t.crow_indices(), t.col_indices())
                if lay in ("sparse_csr", "sparse_bsr")
                else (t.ccol_indices(), t.row_indices())
            )
            f = self.resolve(f"{lay}_tensor")
            out = f(
                self.from_torch(rows[0]),
                self.from_torch(rows[1]),
                self.from_torch(t.values()),
                tuple(t.shape),
            )
        if t.requires_grad:
            out = out.detach().requires_grad_()
        return out

    # -- everything in ----------------------------------------------------------------------
    def convert(self, x, memo=None):
        """torch values -> target values, recursively; a shared tensor stays shared."""
        memo = {} if memo is None else memo
        if isinstance(x, torch.Tensor):
            if id(x) in memo:
                return memo[id(x)][0]
            if self.name == "torch" and type(x) not in (torch.Tensor, torch.nn.Parameter):
                r = x
            else:
                r = self.from_torch(x)
            if isinstance(x, torch.nn.Parameter):
                r = self.resolve("nn.Parameter")(r.detach(), requires_grad=x.requires_grad)
            memo[id(x)] = (r, x)
            return r
        if x is None or isinstance(x, (bool, int, float, complex, str, bytes)) or x is Ellipsis:
            if isinstance(x, enum.Enum):
                return self._lookup(x)
            return x
        if isinstance(x, torch.Size):
            return self.resolve("Size")(tuple(x)) if self.has("Size") else tuple(x)
        if isinstance(x, torch.dtype):
            return self.dtype(dtype_name(x))
        if isinstance(x, torch.device):
            return self.resolve("device")(str(x)) if self.has("device") else str(x)
        if isinstance(x, (torch.layout, torch.memory_format)):
            return self.resolve(str(x).split(".")[-1])
        if isinstance(x, torch.Generator):
            g = self.resolve("Generator")()
            g.manual_seed(x.initial_seed() % (1 << 31))
            return g
        if isinstance(x, slice):
            return slice(*(self.convert(v, memo) for v in (x.start, x.stop, x.step)))
        if isinstance(x, list):
            return [self.convert(v, memo) for v in x]
        if isinstance(x, tuple):
            v = [self.convert(v, memo) for v in x]
            if hasattr(x, "_fields"):
                return type(x)(*v)
            return tuple(v)
        if isinstance(x, dict):
            return like_dict(x, lambda v: self.convert(v, memo))
        if isinstance(x, (np.ndarray, np.generic, range)):
            return x
        if x is torch:
            return self.m
        if isinstance(x, torch.nn.Module):
            return self.module(x)
        if dataclasses.is_dataclass(x) and not isinstance(x, type):
            cls = self._lookup(type(x))
            return cls(
                **{
                    f.name: self.convert(getattr(x, f.name), memo)
                    for f in dataclasses.fields(x)
                    if f.init
                }
            )
        if isinstance(x, functools.partial):
            return functools.partial(
                self.convert(x.func, memo),
                *self.convert(list(x.args), memo),
                **self.convert(dict(x.keywords), memo),
            )
        if callable(x):
            return self.rebind(x)
        return x

    def module(self, m):
        """A torch module rebuilt in the target from its constructor call, with its state."""
        if getattr(m, "_constructor", None) is None:
            raise ConvError(f"no constructor record of {type(m).__name__}")
        a, k = m._constructor
        t = self._lookup(type(m))(*self.convert(a), **self.convert(k))
        sd = m.state_dict()
        if sd:
            t.to(self.dtype(dtype_name(next(iter(m.parameters()), torch.zeros(())).dtype)))
            t.load_state_dict({k: self.from_torch(v) for k, v in sd.items()})
        t.train(m.training)
        return t

    def _lookup(self, x):
        p = torch_path(x)
        if p is None:
            raise ConvError(f"no public torch name for {x!r}"[:160])
        return self.resolve(p)

    # -- torch-side test code, run against the target ---------------------------------------
    def rebind(self, f):
        """Functions of torch's test suite get `torch` replaced by the target; torch's own
        callables are looked up by name."""
        if isinstance(f, functools.partial):
            return self.convert(f)
        if isinstance(f, types.FunctionType) and is_test_code(f):
            return self._rebind_function(f)
        return self._lookup(f)

    def _rebind_function(self, f):
        if f.__name__ == "wrapper_set_seed":
            return self._set_seed
        g = self._rebound_globals(f.__globals__)
        clo = None
        if f.__closure__:
            clo = []
            for c in f.__closure__:
                try:
                    clo.append(types.CellType(self._rebind_value(c.cell_contents)))
                except ValueError:
                    clo.append(c)
            clo = tuple(clo)
        d = tuple(self._rebind_value(v) for v in f.__defaults__) if f.__defaults__ else None
        n = types.FunctionType(f.__code__, g, f.__name__, d, clo)
        if f.__kwdefaults__:
            n.__kwdefaults__ = {k: self._rebind_value(v) for k, v in f.__kwdefaults__.items()}
        return n

    def _rebind_value(self, v):
        if v is torch:
            return self.m
        if isinstance(v, types.FunctionType) and is_test_code(v):
            return self._rebind_function(v)
        if isinstance(v, torch.Tensor):
            return self.convert(v)
        if (
            isinstance(v, types.ModuleType)
            and v.__name__.startswith("torch.")
            and "testing" not in v.__name__
        ):
            return Namespace(self, v.__name__[6:])
        return v

    def _rebound_globals(self, g):
        if id(g) not in self._globals:
            new = self._globals[id(g)] = dict(g)
            self._keep.append(g)
            for k, v in g.items():
                if isinstance(v, types.FunctionType) and is_test_code(v):
                    if v.__name__ == "wrapper_set_seed":
                        new[k] = self._set_seed
                        continue
                    new[k] = types.FunctionType(
                        v.__code__,
                        self._rebound_globals(v.__globals__),
                        v.__name__,
                        v.__defaults__,
                        v.__closure__,
                    )
                    new[k].__kwdefaults__ = v.__kwdefaults__
                else:
                    new[k] = self._rebind_value(v) if not isinstance(v, torch.Tensor) else v
            if g.get("aten") is torch.ops.aten:
                new["aten"] = Namespace(self, "ops.aten")
        return self._globals[id(g)]

    @staticmethod
    def _set_seed(op, *args, **kwargs):
        """In place of torch.testing's wrapper_set_seed: the harness seeds each call itself."""
        return op(*args, **kwargs)

    def seed(self, s):
        self.m.manual_seed(s)


def is_test_code(f):
    return (f.__module__ or "").startswith("torch.testing")


_DT_ALIAS = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "cfloat": "complex64",
    "cdouble": "complex128",
    "chalf": "complex32",
}


def dtype_name(d):
    s = str(d)
    if not re.fullmatch(r"[\w.]+", s):
        s = re.sub(r"[^\w.]", " ", s).split()[-1]
    s = s.split(".")[-1]
    return _DT_ALIAS.get(s, s)


def torch_to_numpy(t):
    t = t.detach()
    if t.layout != torch.strided:
        t = t.to_dense()
    t = t.resolve_conj().resolve_neg()
    n = dtype_name(t.dtype)
    if n == "bfloat16" or n.startswith("float8"):
        t = t.to(torch.float32)
    elif n == "complex32":
        t = t.to(torch.complex64)
    return t.numpy(force=True)


_paths = None


def torch_path(x):
    """The public dotted name (without 'torch.') of a callable or class of torch."""
    global _paths
    if _paths is None:
        _paths = {}
        import torch.nn.utils.parametrizations
        import torch.nn.utils.rnn

        mods = [
            ("", torch),
            ("nn.functional", torch.nn.functional),
            ("nn", torch.nn),
            ("linalg", torch.linalg),
            ("special", torch.special),
            ("fft", torch.fft),
            ("Tensor", torch.Tensor),
            ("nn.init", torch.nn.init),
            ("nn.attention", torch.nn.attention),
            ("nn.utils", torch.nn.utils),
            ("nn.utils.rnn", torch.nn.utils.rnn),
            ("optim", torch.optim),
            ("optim.lr_scheduler", torch.optim.lr_scheduler),
        ]
        for pre, m in mods:
            for n in dir(m):
                if n.startswith("_") and not n.startswith("__"):
                    continue
                try:
                    v = getattr(m, n)
                except Exception:
                    continue
                if callable(v):
                    _paths.setdefault(id(v), ((pre + "." if pre else "") + n, v))
    if isinstance(x, enum.Enum):
        p = torch_path(type(x))
        return p and f"{p}.{x.name}"
    r = _paths.get(id(x))
    if r is not None:
        return r[0]
    mod, q = getattr(x, "__module__", None) or "", getattr(x, "__qualname__", "")
    if mod.startswith("torch.") and "<" not in q and q:
        return f"{mod[6:]}.{q}"
    return None


def record_constructors():
    """Every torch module remembers the arguments it was built with (for Target.module)."""

    def new(cls, *a, **k):
        o = object.__new__(cls)
        object.__setattr__(o, "_constructor", (a, k))
        return o

    torch.nn.Module.__new__ = staticmethod(new)


# walking and cloning torch structures


def clone_tensor(t):
    d = t.detach()
    if d.layout != torch.strided or d.is_conj() or d.is_neg():
        c = d.clone()
    else:
        c = torch.empty(0, dtype=d.dtype).set_(
            d.untyped_storage().clone(), d.storage_offset(), d.size(), d.stride()
        )
    if isinstance(t, torch.nn.Parameter):
        return torch.nn.Parameter(c, t.requires_grad)
    return c.requires_grad_(t.requires_grad)


def tree_map(f, x, memo=None):
    """Applies f to every tensor; containers are rebuilt, everything else is kept."""
    memo = {} if memo is None else memo
    if isinstance(x, torch.Tensor):
        if id(x) not in memo:
            memo[id(x)] = (f(x), x)
        return memo[id(x)][0]
    if isinstance(x, torch.Generator):
        g = torch.Generator()
        g.set_state(x.get_state())
        return g
    if isinstance(x, torch.Size):
        return x
    if isinstance(x, tuple):
        v = [tree_map(f, y, memo) for y in x]
        return type(x)(*v) if hasattr(x, "_fields") else tuple(v)
    if isinstance(x, list):
        return [tree_map(f, y, memo) for y in x]
    if isinstance(x, dict):
        return like_dict(x, lambda v: tree_map(f, v, memo))
    if isinstance(x, slice):
        return slice(*(tree_map(f, v, memo) for v in (x.start, x.stop, x.step)))
    return x


def like_dict(x, f):
    """A dict of the same class (OrderedDict, Counter, ...) with f applied to the values."""
    try:
        r = type(x)()
    except TypeError:
        r = {}
    for k, v in x.items():
        r[k] = f(v)
    return r


def clone_tree(x):
    return tree_map(clone_tensor, x)


def tensors_of(x, is_tensor, out=None, seen=None):
    """All distinct tensors in a structure, in order."""
    out = [] if out is None else out
    seen = set() if seen is None else seen
    if is_tensor(x):
        if id(x) not in seen:
            seen.add(id(x))
            out.append(x)
    elif isinstance(x, (list, tuple)):
        for y in x:
            tensors_of(y, is_tensor, out, seen)
    elif isinstance(x, dict):
        for y in x.values():
            tensors_of(y, is_tensor, out, seen)
    elif isinstance(x, slice):
        for y in (x.start, x.stop, x.step):
            tensors_of(y, is_tensor, out, seen)
    return out


def flatten_out(x, is_tensor, out=None):
    """Tensors of an output structure in order, duplicates kept."""
    out = [] if out is None else out
    if is_tensor(x):
        out.append(x)
    elif isinstance(x, (list, tuple)):
        for y in x:
            flatten_out(y, is_tensor, out)
    elif isinstance(x, dict):
        for y in x.values():
            flatten_out(y, is_tensor, out)
    return out


def is_torch_tensor(x):
    return isinstance(x, torch.Tensor)


def pick(lst, n):
    """At most n items spread evenly over the list."""
    lst = list(lst)
    if len(lst) <= n:
        return lst
    idx = (
        sorted({round(i * (len(lst) - 1) / (n - 1)) for i in range(n)})
        if n > 1
        else [len(lst) // 2]
    )
    return [lst[i] for i in idx]


def watch_torch_imports(T):
    """Notes modules of the target that import torch while running (the oracle is in the same
    process, so such an import would otherwise go unnoticed)."""
    if T.m is None or T.name == "torch":
        return
    import builtins

    real, root = builtins.__import__, T.name.split(".")[0]

    def imp(name, g=None, l=None, fl=(), level=0):
        if (
            level == 0
            and name.split(".")[0] == "torch"
            and g
            and str(g.get("__name__", "")).split(".")[0] == root
        ):
            T.torch_imports = getattr(T, "torch_imports", set()) | {g.get("__name__")}
        return real(name, g, l, fl, level)

    builtins.__import__ = imp
    real_im = importlib.import_module

    def im(name, package=None):
        if name.split(".")[0] == "torch":
            g = sys._getframe(1).f_globals.get("__name__", "")
            if g.split(".")[0] == root:
                T.torch_imports = getattr(T, "torch_imports", set()) | {g}
        return real_im(name, package)

    importlib.import_module = im
