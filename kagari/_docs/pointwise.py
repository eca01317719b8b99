"""Arithmetic, powers, exponentials, trigonometry, rounding and bits, element by element."""

from kagari._docs.entry import Family

BROADCAST = "RuntimeError: the shapes do not broadcast."

doc = Family(
    "Pointwise functions",
    returns="A tensor of the input's shape; integers become the default floating dtype where the "
    "values are not whole.",
)

# ---- arithmetic ---------------------------------------------------------------------------------

SAME = "A tensor of the broadcast shape and the promoted dtype."

doc(
    "add",
    r"y_i = x_i + \alpha \, z_i",
    """
    >>> kagari.add(kagari.tensor([1.0, 2.0]), kagari.tensor([[10.0], [20.0]]), alpha=2)
    tensor([[21., 22.],
            [41., 42.]])
    """,
    returns=SAME,
    raises=BROADCAST,
    alpha="the factor of ``other``.",
)
doc(
    "sub",
    r"y_i = x_i - \alpha \, z_i",
    """
    >>> kagari.sub(kagari.tensor([5, 7]), 1, alpha=3)
    tensor([2, 4])
    """,
    returns=SAME,
    raises="RuntimeError: the shapes do not broadcast, or both are bool.",
    alpha="the factor of ``other``.",
)
doc(
    "rsub",
    r"y_i = z_i - \alpha \, x_i",
    """
    >>> kagari.rsub(kagari.tensor([1.0, 2.0]), 10)
    tensor([9., 8.])
    """,
    reference="",
    returns=SAME,
    raises="RuntimeError: the shapes do not broadcast, or both are bool.",
    alpha="the factor of ``input``.",
)
doc(
    "mul",
    r"y_i = x_i \, z_i",
    """
    >>> kagari.mul(kagari.tensor([1.0, 2.0, 3.0]), kagari.tensor([[1.0], [10.0]]))
    tensor([[ 1.,  2.,  3.],
            [10., 20., 30.]])
    """,
    returns=SAME,
    raises=BROADCAST,
)
doc(
    "div",
    r"y_i = x_i / z_i",
    """
    >>> kagari.div(kagari.tensor([7, -7]), 2)
    tensor([ 3.5000, -3.5000])
    >>> kagari.div(kagari.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    >>> kagari.div(kagari.tensor([7, -7]), 2, rounding_mode="floor")
    tensor([ 3, -4])
    """,
    returns="A tensor of the broadcast shape; without rounding a floating one.",
    raises="RuntimeError: the shapes do not broadcast, an unknown rounding mode, or an integer "
    "divided by zero under rounding.",
    rounding_mode="``'trunc'`` rounds towards zero, ``'floor'`` down, None not at all.",
)
doc(
    "floor_divide",
    r"y_i = \lfloor x_i / z_i \rfloor",
    """
    >>> kagari.floor_divide(kagari.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """,
    returns=SAME,
    raises="RuntimeError: the shapes do not broadcast, or an integer is divided by zero.",
)
doc(
    "remainder",
    r"y_i = x_i - z_i \lfloor x_i / z_i \rfloor",
    """
    >>> kagari.remainder(kagari.tensor([7, -7]), 3)
    tensor([1, 2])
    """,
    returns=SAME,
    raises="RuntimeError: the shapes do not broadcast, or an integer is divided by zero.",
)
doc(
    "fmod",
    r"y_i = x_i - z_i \, \mathrm{trunc}(x_i / z_i)",
    """
    >>> kagari.fmod(kagari.tensor([7, -7]), 3)
    tensor([ 1, -1])
    """,
    returns=SAME,
    raises="RuntimeError: the shapes do not broadcast, or an integer is divided by zero.",
)
doc(
    "neg",
    r"y_i = -x_i",
    """
    >>> kagari.neg(kagari.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """,
    returns="A tensor of the input's shape and dtype.",
    raises="RuntimeError: the input is bool; use ``logical_not``.",
)
doc(
    "reciprocal",
    r"y_i = 1 / x_i",
    """
    >>> kagari.reciprocal(kagari.tensor([2.0, 4.0]))
    tensor([0.5000, 0.2500])
    """,
)
doc(
    "pow",
    r"y_i = x_i^{p_i}",
    """
    >>> kagari.pow(kagari.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    >>> kagari.pow(2, kagari.tensor([1, 2, 3]))
    tensor([2, 4, 8])
    """,
    returns=SAME,
    raises="RuntimeError: the shapes do not broadcast, or an integer is raised to a negative "
    "integer.",
    input="the base.",
    exponent="the power; broadcasts with the base.",
)
doc(
    "square",
    r"y_i = x_i^2",
    """
    >>> kagari.square(kagari.tensor([-3.0, 2.0]))
    tensor([9., 4.])
    """,
    returns="A tensor of the input's shape and dtype.",
)
doc(
    "sqrt",
    r"y_i = \sqrt{x_i}",
    """
    >>> kagari.sqrt(kagari.tensor([4.0, 9.0, -1.0]))
    tensor([2., 3., nan])
    """,
    note="NaN below zero. The derivative is infinite at zero.",
)
doc(
    "rsqrt",
    r"y_i = 1 / \sqrt{x_i}",
    """
    >>> kagari.rsqrt(kagari.tensor([4.0, 0.25]))
    tensor([0.5000, 2.0000])
    """,
)
doc(
    "abs",
    r"y_i = |x_i|",
    """
    >>> kagari.abs(kagari.tensor([-1.5, 2.0]))
    tensor([1.5000, 2.0000])
    >>> kagari.abs(kagari.tensor(3 + 4j))
    tensor(5.)
    """,
    returns="A tensor of the input's shape; real for a complex input.",
    note="The derivative at zero is zero.",
)
doc(
    "sign",
    r"y_i = \mathrm{sign}(x_i)",
    """
    >>> kagari.sign(kagari.tensor([-2.0, 0.0, 5.0]))
    tensor([-1.,  0.,  1.])
    """,
    returns="A tensor of the input's shape and dtype.",
    raises="RuntimeError: the input is complex; use ``sgn``.",
)
doc(
    "sgn",
    r"y_i = x_i / |x_i|",
    """
    >>> kagari.sgn(kagari.tensor([3 + 4j, 0j]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """,
    returns="A tensor of the input's shape and dtype.",
)
doc(
    "copysign",
    r"y_i = |x_i| \, \mathrm{sign}(z_i)",
    """
    >>> kagari.copysign(kagari.tensor([1.0, 2.0]), kagari.tensor([-1.0, 0.0]))
    tensor([-1.,  2.])
    """,
    returns="A floating tensor of the broadcast shape.",
    raises=BROADCAST,
    note="The sign of a zero counts.",
)
doc(
    "conj_physical",
    r"y_i = \overline{x_i}",
    """
    >>> kagari.conj_physical(kagari.tensor([1 + 2j]))
    tensor([1.-2.j])
    """,
    returns="A tensor of the input's shape and dtype.",
)
doc(
    "angle",
    r"y_i = \mathrm{atan2}(\mathrm{Im}\, x_i, \mathrm{Re}\, x_i)",
    """
    >>> kagari.angle(kagari.tensor([1j, -1 + 0j]))
    tensor([1.5708, 3.1416])
    >>> kagari.angle(kagari.tensor([2.0, -2.0]))
    tensor([0.0000, 3.1416])
    """,
    returns="A real tensor of the input's shape; 0 or π for real numbers.",
)
doc(
    "gcd",
    r"y_i = \gcd(x_i, z_i)",
    """
    >>> kagari.gcd(kagari.tensor([12, 18]), kagari.tensor([8, 27]))
    tensor([4, 9])
    """,
    returns=SAME,
    raises="RuntimeError: the shapes do not broadcast, or the dtype is not an integer's.",
    input="integers of any shape.",
)
doc(
    "lcm",
    r"y_i = \mathrm{lcm}(x_i, z_i)",
    """
    >>> kagari.lcm(kagari.tensor([4, 6]), kagari.tensor([6, 8]))
    tensor([12, 24])
    """,
    returns=SAME,
    raises="RuntimeError: the shapes do not broadcast, or the dtype is not an integer's.",
    input="integers of any shape.",
)
doc(
    "hypot",
    r"y_i = \sqrt{x_i^2 + z_i^2}",
    """
    >>> kagari.hypot(kagari.tensor([3.0, 1e30]), kagari.tensor([4.0, 1e30]))
    tensor([5.0000e+00, 1.4142e+30])
    """,
    returns=SAME,
    raises=BROADCAST,
    note="Nothing overflows on the way.",
)
doc(
    "nextafter",
    "",
    """
    >>> kagari.nextafter(kagari.tensor(1.0), kagari.tensor(2.0)) - 1
    tensor(1.1921e-07)
    """,
    returns=SAME,
    raises=BROADCAST,
    note="The gap to it is the precision at ``input``.",
    other="gives the direction; broadcasts with ``input``.",
)

# ---- three and more operands --------------------------------------------------------------------

doc(
    "addcmul",
    r"y_i = x_i + v \, a_i \, b_i",
    """
    >>> a, b = kagari.tensor([2.0, 3.0]), kagari.tensor([4.0])
    >>> kagari.addcmul(kagari.tensor([1.0]), a, b, value=0.5)
    tensor([5., 7.])
    """,
    returns=SAME,
    raises=BROADCAST,
    tensor1="the first factor; broadcasts with ``input``.",
    tensor2="the second factor; broadcasts with ``input``.",
    value="the factor v.",
)
doc(
    "addcdiv",
    r"y_i = x_i + v \, a_i / b_i",
    """
    >>> a, b = kagari.tensor([2.0, 3.0]), kagari.tensor([4.0])
    >>> kagari.addcdiv(kagari.tensor([1.0]), a, b, value=2)
    tensor([2.0000, 2.5000])
    """,
    returns=SAME,
    raises="RuntimeError: the shapes do not broadcast, or both quotients are integers.",
    tensor1="the dividend; broadcasts with ``input``.",
    tensor2="the divisor; broadcasts with ``input``.",
    value="the factor v.",
)
doc(
    "lerp",
    r"y_i = x_i + w_i (e_i - x_i)",
    """
    >>> kagari.lerp(kagari.tensor([0.0, 10.0]), kagari.tensor([1.0, 20.0]), 0.25)
    tensor([ 0.2500, 12.5000])
    """,
    returns=SAME,
    raises="RuntimeError: the shapes do not broadcast, or the dtypes differ.",
    input="the start, of any shape.",
    end="the end; broadcasts with ``input``.",
    weight="the part of the way w; broadcasts with ``input``.",
)
doc(
    "clamp",
    r"y_i = \min(\max(x_i, \mathrm{min}), \mathrm{max})",
    """
    >>> kagari.clamp(kagari.tensor([-2.0, 0.5, 3.0]), min=0, max=1)
    tensor([0.0000, 0.5000, 1.0000])
    >>> kagari.clamp(kagari.tensor([1, 5]), max=kagari.tensor([3, 3]))
    tensor([1, 3])
    """,
    returns=SAME,
    raises="RuntimeError: neither limit is given, or the shapes do not broadcast.",
    min="the lower limit; None: there is none.",
    max="the upper limit, which wins over a higher lower one; None: there is none.",
)
doc(
    "clamp_min",
    r"y_i = \max(x_i, \mathrm{min})",
    """
    >>> kagari.clamp_min(kagari.tensor([-2.0, 0.5]), 0)
    tensor([0.0000, 0.5000])
    """,
    reference="generated/torch.clamp.html",
    returns=SAME,
    raises=BROADCAST,
    min="the lower limit.",
)
doc(
    "clamp_max",
    r"y_i = \min(x_i, \mathrm{max})",
    """
    >>> kagari.clamp_max(kagari.tensor([0.5, 3.0]), 1)
    tensor([0.5000, 1.0000])
    """,
    reference="generated/torch.clamp.html",
    returns=SAME,
    raises=BROADCAST,
    max="the upper limit.",
)
doc(
    "nan_to_num",
    "",
    """
    >>> kagari.nan_to_num(kagari.tensor([float("nan"), float("inf"), 1.0]), nan=-1, posinf=9)
    tensor([-1.,  9.,  1.])
    """,
    returns="A tensor of the input's shape and dtype.",
    nan="for NaN; None: 0.",
    posinf="for +inf; None: the largest number of the dtype.",
    neginf="for -inf; None: the lowest number of the dtype.",
)
doc(
    "heaviside",
    r"y_i = \begin{cases} 0 & x_i < 0 \\ v_i & x_i = 0 \\ 1 & x_i > 0 \end{cases}",
    """
    >>> kagari.heaviside(kagari.tensor([-1.0, 0.0, 2.0]), kagari.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """,
    returns=SAME,
    raises="RuntimeError: the dtypes differ or the shapes do not broadcast.",
    values="v, at zero; broadcasts with ``input``.",
)

# ---- exponentials and logarithms ----------------------------------------------------------------

doc(
    "exp",
    r"y_i = e^{x_i}",
    """
    >>> kagari.exp(kagari.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """,
)
doc(
    "exp2",
    r"y_i = 2^{x_i}",
    """
    >>> kagari.exp2(kagari.tensor([0.0, 3.0, -1.0]))
    tensor([1.0000, 8.0000, 0.5000])
    """,
)
doc(
    "expm1",
    r"y_i = e^{x_i} - 1",
    """
    >>> kagari.expm1(kagari.tensor([1e-8, 1.0]))
    tensor([1.0000e-08, 1.7183e+00])
    """,
)
doc(
    "log",
    r"y_i = \ln x_i",
    """
    >>> kagari.log(kagari.tensor([1.0, 10.0, 0.0]))
    tensor([0.0000, 2.3026,   -inf])
    """,
    note="-inf at zero, NaN below.",
)
doc(
    "log2",
    r"y_i = \log_2 x_i",
    """
    >>> kagari.log2(kagari.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """,
)
doc(
    "log10",
    r"y_i = \log_{10} x_i",
    """
    >>> kagari.log10(kagari.tensor([1.0, 1000.0]))
    tensor([0., 3.])
    """,
)
doc(
    "log1p",
    r"y_i = \ln(1 + x_i)",
    """
    >>> kagari.log1p(kagari.tensor([1e-8, 1.0]))
    tensor([1.0000e-08, 6.9315e-01])
    """,
)
doc(
    "logaddexp",
    r"y_i = \ln(e^{x_i} + e^{z_i})",
    """
    >>> kagari.logaddexp(kagari.tensor([0.0, 1000.0]), kagari.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """,
    returns=SAME,
    raises=BROADCAST,
)
doc(
    "logaddexp2",
    r"y_i = \log_2(2^{x_i} + 2^{z_i})",
    """
    >>> kagari.logaddexp2(kagari.tensor([3.0]), kagari.tensor([3.0]))
    tensor([4.])
    """,
    returns=SAME,
    raises=BROADCAST,
)

# ---- trigonometry -------------------------------------------------------------------------------

doc(
    "sin",
    r"y_i = \sin x_i",
    """
    >>> kagari.sin(kagari.tensor([0.0, kagari.pi / 2]))
    tensor([0., 1.])
    """,
    input="radians, any shape.",
)
doc(
    "cos",
    r"y_i = \cos x_i",
    """
    >>> kagari.cos(kagari.tensor([0.0, kagari.pi]))
    tensor([ 1., -1.])
    """,
    input="radians, any shape.",
)
doc(
    "tan",
    r"y_i = \tan x_i",
    """
    >>> kagari.tan(kagari.tensor([0.0, kagari.pi / 4]))
    tensor([0., 1.])
    """,
    input="radians, any shape.",
)
doc(
    "asin",
    r"y_i = \arcsin x_i \in [-\pi/2, \pi/2]",
    """
    >>> kagari.asin(kagari.tensor([0.5, 1.0, 2.0]))
    tensor([0.5236, 1.5708,    nan])
    """,
    note="NaN outside [-1, 1].",
)
doc(
    "acos",
    r"y_i = \arccos x_i \in [0, \pi]",
    """
    >>> kagari.acos(kagari.tensor([1.0, 0.0, -1.0]))
    tensor([0.0000, 1.5708, 3.1416])
    """,
    note="NaN outside [-1, 1].",
)
doc(
    "atan",
    r"y_i = \arctan x_i \in (-\pi/2, \pi/2)",
    """
    >>> kagari.atan(kagari.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """,
)
doc(
    "atan2",
    r"y_i = \arg(z_i + \mathrm{i}\, x_i) \in (-\pi, \pi]",
    """
    >>> kagari.atan2(kagari.tensor([1.0, -1.0]), kagari.tensor([-1.0, 1.0]))
    tensor([ 2.3562, -0.7854])
    """,
    returns="A floating tensor of the broadcast shape.",
    raises=BROADCAST,
    input="the points' second coordinate.",
    other="the points' first coordinate; broadcasts with ``input``.",
)
doc(
    "sinh",
    r"y_i = (e^{x_i} - e^{-x_i}) / 2",
    """
    >>> kagari.sinh(kagari.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """,
)
doc(
    "cosh",
    r"y_i = (e^{x_i} + e^{-x_i}) / 2",
    """
    >>> kagari.cosh(kagari.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """,
)
doc(
    "tanh",
    r"y_i = \frac{e^{x_i} - e^{-x_i}}{e^{x_i} + e^{-x_i}}",
    """
    >>> kagari.tanh(kagari.tensor([0.0, 1.0, 100.0]))
    tensor([0.0000, 0.7616, 1.0000])
    """,
)
doc(
    "asinh",
    r"y_i = \ln(x_i + \sqrt{x_i^2 + 1})",
    """
    >>> kagari.asinh(kagari.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """,
)
doc(
    "acosh",
    r"y_i = \ln(x_i + \sqrt{x_i^2 - 1})",
    """
    >>> kagari.acosh(kagari.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """,
    note="NaN below one.",
)
doc(
    "atanh",
    r"y_i = \frac{1}{2} \ln \frac{1 + x_i}{1 - x_i}",
    """
    >>> kagari.atanh(kagari.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """,
    note="NaN outside [-1, 1].",
)
doc(
    "sinc",
    r"y_i = \frac{\sin(\pi x_i)}{\pi x_i}",
    """
    >>> kagari.sinc(kagari.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """,
)
doc(
    "deg2rad",
    r"y_i = x_i \, \pi / 180",
    """
    >>> kagari.deg2rad(kagari.tensor([180.0, 90.0]))
    tensor([3.1416, 1.5708])
    """,
)
doc(
    "rad2deg",
    r"y_i = 180 \, x_i / \pi",
    """
    >>> kagari.rad2deg(kagari.tensor([kagari.pi, kagari.pi / 2]))
    tensor([180.,  90.])
    """,
)

# ---- rounding -----------------------------------------------------------------------------------

WHOLE = "A tensor of the input's shape and dtype."

doc(
    "floor",
    r"y_i = \lfloor x_i \rfloor",
    """
    >>> kagari.floor(kagari.tensor([1.7, -1.2]))
    tensor([ 1., -2.])
    """,
    returns=WHOLE,
)
doc(
    "ceil",
    r"y_i = \lceil x_i \rceil",
    """
    >>> kagari.ceil(kagari.tensor([1.2, -1.7]))
    tensor([ 2., -1.])
    """,
    returns=WHOLE,
)
doc(
    "trunc",
    r"y_i = \mathrm{sign}(x_i) \lfloor |x_i| \rfloor",
    """
    >>> kagari.trunc(kagari.tensor([1.7, -1.7]))
    tensor([ 1., -1.])
    """,
    returns=WHOLE,
)
doc(
    "frac",
    r"y_i = x_i - \mathrm{trunc}(x_i)",
    """
    >>> kagari.frac(kagari.tensor([1.75, -1.25]))
    tensor([ 0.7500, -0.2500])
    """,
    returns=WHOLE,
)
doc(
    "round",
    r"y_i = 10^{-d} \, \mathrm{round}(10^d x_i)",
    """
    >>> kagari.round(kagari.tensor([0.5, 1.5, 2.5]))
    tensor([0., 2., 2.])
    >>> kagari.round(kagari.tensor([1.2345]), decimals=2)
    tensor([1.2300])
    """,
    returns=WHOLE,
    decimals="d; a negative one rounds to tens, hundreds, ...",
)

# ---- bits ---------------------------------------------------------------------------------------

WHOLE_NUMBERS = (
    "RuntimeError: the dtype is neither an integer's nor bool, or the shapes do not broadcast."
)

doc(
    "bitwise_not",
    r"y_i = -x_i - 1",
    """
    >>> kagari.bitwise_not(kagari.tensor([0, 5, -1]))
    tensor([-1, -6,  0])
    >>> kagari.bitwise_not(kagari.tensor([True, False]))
    tensor([False,  True])
    """,
    returns=WHOLE,
    raises="RuntimeError: the dtype is neither an integer's nor bool.",
    input="integers or bools of any shape.",
)
for_two = {"returns": SAME, "raises": WHOLE_NUMBERS, "input": "integers or bools of any shape."}
doc(
    "bitwise_and",
    r"y_i = x_i \wedge z_i",
    """
    >>> kagari.bitwise_and(kagari.tensor([12, 7]), 10)
    tensor([8, 2])
    """,
    **for_two,
)
doc(
    "bitwise_or",
    r"y_i = x_i \vee z_i",
    """
    >>> kagari.bitwise_or(kagari.tensor([12, 7]), 10)
    tensor([14, 15])
    """,
    **for_two,
)
doc(
    "bitwise_xor",
    r"y_i = x_i \oplus z_i",
    """
    >>> kagari.bitwise_xor(kagari.tensor([12, 7]), 10)
    tensor([ 6, 13])
    """,
    **for_two,
)
doc(
    "bitwise_left_shift",
    r"y_i = x_i \, 2^{z_i}",
    """
    >>> kagari.bitwise_left_shift(kagari.tensor([1, 3]), 2)
    tensor([ 4, 12])
    """,
    **for_two,
)
doc(
    "bitwise_right_shift",
    r"y_i = \lfloor x_i / 2^{z_i} \rfloor",
    """
    >>> kagari.bitwise_right_shift(kagari.tensor([16, -5]), 2)
    tensor([ 4, -2])
    """,
    **for_two,
)
