"""Every operation in every spelling of NumPy's: the same value, dtype, warnings and slope."""

import re
import warnings
from collections import defaultdict
from itertools import product

import numpy as np
import pytest

import autograd_lite as ag
from tests import numeric
from tests.cases.spellings import SPELLINGS

RNG = np.random.default_rng(5)


def spread_out(*shape, low=0.35, high=1.4):
    """Numbers with gaps, so that no step of a finite difference changes their order."""
    count = int(np.prod(shape))
    numbers = np.linspace(low, high, count) + RNG.uniform(0, 0.4 / count, count)
    return RNG.permutation(numbers).reshape(shape)


# the letters of the spellings; entries of different arrays are far enough apart as well
ARRAYS = {
    "x": spread_out(2, 3, 4),
    "y": spread_out(2, 3, 4) + 0.0085,
    "r": spread_out(4) + 0.013,
    "c": spread_out(3, 1) + 0.0171,
    "v": spread_out(5),
    "w": spread_out(5) + 0.0231,
    "p": spread_out(5, low=-1.5),
    "m": spread_out(3, 3) + 2 * np.eye(3),
    "n": spread_out(3, 3),
    "t": spread_out(4, 3),
    "u": spread_out(3),
    "u2": spread_out(3) + 0.02,
    "s": np.array(0.7),
    "k": spread_out(2, 3, 3) + 2 * np.eye(3),
    "e": np.zeros((2, 0)),
    "b": spread_out(3, 4),
    "q": spread_out(3, 2),
    "a4": spread_out(2, 2, 3, 2),
    "z": spread_out(1, 3, 1),
}
ARRAYS["S"] = ARRAYS["n"] @ ARRAYS["n"].T + np.diag([1.0, 2.0, 4.0])
CONSTANTS = {
    "np": np,
    "f32": np.float32,
    "g": np.longdouble,
    "mask": np.arange(24).reshape(2, 3, 4) % 3 > 0,
    "rmask": np.array([True, False, True, True]),
    "i": np.array([0, 2, 1, 2]),
    "N": np.array([[1, np.nan, 2, 1], [np.nan] * 4, [0, 1, 2, np.nan]]),
}

# --- spellings made from templates: names, and what they are called with -------------------------

UNARY = (
    "abs absolute cbrt ceil conj conjugate cos cosh deg2rad degrees exp exp2 expm1 fabs floor log "
    "log10 log1p log2 negative positive rad2deg radians reciprocal rint sign sin sinh spacing sqrt "
    "square tan tanh arctan arcsinh trunc"
)
BINARY = (
    "add subtract multiply divide true_divide power pow float_power arctan2 hypot logaddexp "
    "logaddexp2 maximum minimum fmax fmin remainder mod fmod floor_divide copysign heaviside"
)
EXTREMA = "max amax min amin nanmax nanmin"
MEANS = "mean std var nanmean nanstd nanvar"
SUMS = "sum prod nansum nanprod"
SPREADS = "std var nanstd nanvar"
METHODS = (
    "inverted_cdf averaged_inverted_cdf closest_observation interpolated_inverted_cdf hazen "
    "weibull linear median_unbiased normal_unbiased lower higher midpoint nearest"
)
AXES = ["", "axis=None", "axis=0", "axis=-1", "axis=(0,2)", "axis=(-1,)", "axis=()"]
KEPT = ["", "keepdims=True", "keepdims=False"]
WIDTHS = "1 (1,2) ((1,2),) ((1,0),(0,2),(2,1)) [[1],[0],[2]] 0 [1] {1:2} {-1:(1,0),0:1}"
INDICES = """
0 | -1 | 1: | ::-1 | ... | None | 0,1 | 0,1,2 | :,None | ...,0 | 0,... | [0,1] | [0,0,1] | True
[[0,1],[1,0]] | [0,1],[2,2] | [0,1],:,[3,3] | 0,:,[1,1] | :,[0,2],1: | mask | mask[:,0,0] | False
:,mask[0,:,0] | x>1 | np.array([0,1]) | np.array(1) | None,...,None | np.int64(1) | (0,) | ()
slice(0,1) | [True,False] | np.ix_([0,1],[0,2],[1,3]) | :,i[:2],i[2:] | [] | np.zeros(0,int)
...,[1,1] | :,:,rmask | np.array([[True,False,True]]*2) | np.argmax(x[:,0,0]) | 0,np.newaxis
[0,-1] | np.uint8(1) | np.array([],int),1
"""


def each(names, *templates):
    """Every template with every name put in for §."""
    return [template.replace("§", name) for name in names.split() for template in templates]


def over_axes():
    names = f"{SUMS} {MEANS} {EXTREMA} ptp median nanmedian any all count_nonzero"
    for name, axis, kept in product(names.split(), AXES, KEPT):
        yield f"np.{name}({', '.join(part for part in ('x', axis, kept) if part)})"


def quantiles():
    for name in ("quantile", "percentile", "nanquantile", "nanpercentile"):
        h = "100*" if "perc" in name else ""
        yield from each(
            name,
            *[f"np.§(x,{h}{q})" for q in ("0.3", "0", "1", "np.float64(.35)", "np.float32(.5)")],
            f"np.§(x,{h}.4,1)",
            f"np.§(x,{h}np.array([.1,.7]),axis=1)",
            f"np.§(x,[{h}.1,{h}.5],-1)",
            f"np.§(a=x,q={h}.4,axis=None)",
            f"np.§(x,{h}.4,1,None,False,'linear',True)",
            f"np.§(x,{h}.4,1,out=None,overwrite_input=True)",
            f"np.§(x.astype(f32),{h}.3)",
            f"np.§(b+N,{h}.3,axis=1)",
            f"np.§(v,{h}.37,weights=[1,2,3,1,1],method='inverted_cdf')",
            f"np.§(x,{h}.37,weights=y,method='inverted_cdf')",
        )
        for method in METHODS.split():
            yield f"np.{name}(x,{h}.37,axis=1,method='{method}')"
            yield f"np.{name}(x,[{h}.1,{h}.5,{h}1],(0,2),method='{method}',keepdims=True)"
        if not name.startswith("nan"):  # there, NumPy asks for weights of the array's own shape
            yield f"np.{name}(x,{h}.37,axis=-1,weights=np.array([1,2,3,1]),method='inverted_cdf')"
            yield (
                f"np.{name}(x,[{h}.37,{h}.6],axis=(0,2),weights=np.ones((2,4)),"
                f"method='inverted_cdf',keepdims=True)"
            )


TEMPLATED = [
    *each(
        UNARY,
        "np.§(x)",
        "np.§(x,dtype=f32)",
        "np.§(x,dtype=None)",
        "np.§(x,None)",
        "np.§(x,out=(None,))",
        "np.§(x,out=None,where=True,casting='same_kind',order='K',subok=True)",
        "np.§(x,casting='unsafe',order='F')",
    ),
    *each(
        BINARY,
        *[f"np.§({pair})" for pair in ("x,y", "x,r", "x,c", "x,2.", "2,x", "x,s", "x,[1,2.,3,4]")],
        "np.§(x,y,None)",
        "np.§(x,y,dtype=f32)",
        "np.§(x,2,dtype=g)",
        "np.§(x.astype(f32),y,dtype=f32,casting='same_kind')",
        "np.§(x,y,where=True,casting='safe')",
        "np.§.outer(r,u)",
        "np.§.outer(r,[1.,2])",
        "np.§.outer(2.,b)",
        "np.§.outer(r,u,dtype=f32)",
    ),
    *each("less greater_equal equal logical_and", "np.§(x,y)", "np.§(x,1)", "np.§.outer(r,u)"),
    *each("isnan isinf isfinite signbit", "np.§(x)", "np.§(x,order='K')"),
    "np.less(x,y,dtype=bool)",
    "np.divmod(x,r)",
    *over_axes(),
    *each(
        f"{SUMS} {MEANS} {EXTREMA} ptp median nanmedian", "np.§(x,1)", "np.§(a=x,axis=1,out=None)"
    ),
    *each(
        "sum mean prod max min std var any all",
        "x.§()",
        "x.§(1)",
        "x.§(axis=(0,1),keepdims=True)",
        "x.§(axis=None,out=None)",
    ),
    *each("sum prod max min", "x.§(where=mask,initial=0.5)"),
    *each(
        f"{SUMS} {MEANS}",
        "np.§(x,1,f32)",
        "np.§(x,1,dtype=g)",
        "np.§(x,None,None,None)",
        "np.§(x,dtype=None)",
        "np.§(x>1,axis=0)",
        "np.§(x>1,dtype=f32)",
    ),
    *each(
        f"{SUMS} {EXTREMA}",
        "np.§(x,1,initial=.5)",
        "np.§(x,1,initial=.5,where=mask)",
        "np.§(x,0,keepdims=True,initial=2,where=rmask)",
        "np.§(x,(0,1),initial=2,where=r>1)",
    ),
    *each(
        f"{SUMS} {MEANS} any all",
        "np.§(x,where=mask)",
        "np.§(x,axis=1,where=mask,keepdims=True)",
        "np.§(x,axis=(0,1),where=rmask)",
        "np.§(x,where=x>1)",
        "np.§(x,where=True)",
    ),
    *each(
        SPREADS,
        "np.§(x,ddof=1)",
        "np.§(x,1,None,None,1)",
        "np.§(x,correction=1)",
        "np.§(x,1,correction=.5)",
        "np.§(x,1,correction=0)",
        "np.§(x,ddof=1,correction=0)",  # an error
        "np.§(x,1,ddof=1,where=mask)",
        "np.§(x,mean=1.)",
        "np.§(x,-1,ddof=1,keepdims=True,mean=np.mean(x,-1,keepdims=True))",
    ),
    *each(
        f"{MEANS} nansum nanprod nanmax nanmin nanmedian nancumsum",
        "np.§(b+N)",
        "np.§(b+N,axis=1)",  # one slice has nothing but NaN
        "np.§(b[::2]+N[::2],axis=0)",
    ),
    *each(SPREADS, *[f"np.§(b+N,axis=1,ddof={d})" for d in (1, 2, 3, 4)]),
    *quantiles(),
    *each(
        "cumsum cumprod nancumsum nancumprod",
        *[f"np.§({a})" for a in ("x", "x,1", "x,axis=-1", "x,axis=None", "x,1,f32", "s", "s,0")],
        *[f"np.§({a})" for a in ("x,1,dtype=g,out=None", "a=x,axis=0", "x>1,0", "e,0", "e", "e,1")],
    ),
    *each(
        "argmax argmin nanargmax nanargmin",
        *[f"np.§({a})" for a in ("x", "x,1", "x,axis=-1,keepdims=True", "x,None,None", "a=x")],
    ),
    *each(
        "None 0 1 2 3 1.5 -1 -2 np.inf -np.inf .5",
        "np.linalg.norm(v,§)",
        "np.linalg.norm(x,§,1)",
        "np.linalg.norm(x,ord=§,axis=-1,keepdims=True)",
        "np.linalg.norm(x,§,(1,))",
    ),
    *each(
        "0 1 2 3 1.5 -1 -2 np.inf -np.inf",
        "np.linalg.vector_norm(x,ord=§)",
        "np.linalg.vector_norm(x,axis=(0,1),ord=§,keepdims=True)",
    ),
    *each(
        "'fro' 'nuc' 1 -1 2 -2 np.inf -np.inf",
        "np.linalg.norm(t,§)",
        "np.linalg.norm(x,§,(0,1))",
        "np.linalg.norm(x,§,axis=(-1,-2),keepdims=True)",
        "np.linalg.matrix_norm(x,ord=§)",
        "np.linalg.matrix_norm(x,keepdims=True,ord=§)",
    ),
    *each("s v b x", *[f"np.atleast_{d}d(§)" for d in (1, 2, 3)]),
    *[
        f"np.pad({call},mode='{mode}')"
        for mode in ("constant", "edge", "reflect", "symmetric", "wrap")
        for call in (
            *[f"x,{width}" for width in WIDTHS.split()],
            "v,9",
            "v,(7,0)",
            "array=v,pad_width=1",
            "s,0",
            "e,((1,1),(0,0))",
            "s,2",
            "v,-1",  # an error
        )
    ],
    *[f"x[{index.strip()}]" for index in INDICES.replace("\n", "|").split("|") if index.strip()],
]
GROUPS = defaultdict(list)
for _call in dict.fromkeys([*TEMPLATED, *SPELLINGS]):
    GROUPS[re.sub(r"\W.*", "", re.sub(r"^np\.(lib\.\w+\.|linalg\.)?", "", _call)) or _call].append(
        _call
    )


# what jumps within the step of a finite difference, or is too coarse for one
NO_SLOPE = re.compile(r"spacing|round\(|f32|float32")

# --- the comparison ------------------------------------------------------------------------------


def run(call, arrays):
    """What a call returns, or the error that it raises; and the categories of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = eval(call, CONSTANTS | arrays)
        except Exception as error:
            result = error
    return result, {warning.category for warning in caught}


def listed(z):
    parts = z if isinstance(z, tuple | list) else [z]
    return [part for z in parts for part in (z if isinstance(z, tuple | list) else [z])]


def used(call):
    names = set(re.findall(r"\b\w+\b(?!\s*=[^=])", re.sub(r"'[^']*'", "", call)))
    return {name: array for name, array in ARRAYS.items() if name in names}


def difference(call):
    """What is not as NumPy has it, in words; None if all is."""
    arrays = used(call)
    expected, warned = run(call, {name: array.copy() for name, array in arrays.items()})
    variables = {name: ag.Variable(array, name=name) for name, array in arrays.items()}
    actual, warned_too = run(call, variables)
    if isinstance(expected, Exception) or isinstance(actual, Exception):
        same = isinstance(actual, type(expected))
        return None if same else f"{actual!r} instead of {expected!r}"
    if warned != warned_too:
        return f"warned {warned_too} instead of {warned}"
    if isinstance(expected, tuple | list) and type(actual) is not type(expected):
        return f"a {type(actual)} instead of a {type(expected)}"
    if len(listed(actual)) != len(listed(expected)):
        return f"{len(listed(actual))} results instead of {len(listed(expected))}"
    for z, e in zip(listed(actual), listed(expected), strict=True):
        a, e = np.asarray(z.data if type(z) is ag.Variable else z), np.asarray(e)
        # sums in another order, and products of small integer powers, differ by a few roundings
        # (NumPy's nanvar keeps float64 on the way to a longdouble)
        tolerance = 64 * max(np.finfo(e.dtype).eps, 2e-16) if e.dtype.kind == "f" else 0
        if (a.shape, a.dtype) != (e.shape, e.dtype):
            return f"{a.dtype}{a.shape} instead of {e.dtype}{e.shape}"
        if e.dtype.kind in "fiub" and not np.allclose(a, e, tolerance, tolerance, equal_nan=True):
            return f"{a} instead of {e}"
    if NO_SLOPE.search(call):
        return None
    return slope_difference(call, variables, actual)


def slope_difference(call, variables, actual):
    """The gradient along one direction against a finite difference; untracked means 0."""
    rng = np.random.default_rng(0)
    directions = {name: rng.uniform(-1, 1, v.shape) for name, v in variables.items()}
    places = [
        np.isfinite(z.data) & (z.dtype.kind == "f") if isinstance(z, ag.Variable) else None
        for z in listed(actual)
    ]
    weights = [None if p is None else rng.uniform(-1, 1, p.shape)[p] for p in places]

    def total(zs, tracked):
        return sum(
            np.sum(w * z[p])
            for z, p, w in zip(zs, places, weights, strict=True)
            if p is not None and p.any() and (not tracked or z.requires_grad)
        )

    def moved(t):
        arrays = {name: v.data + t * directions[name] for name, v in variables.items()}
        return np.float64(total([np.asarray(z) for z in listed(run(call, arrays)[0])], False))

    with warnings.catch_warnings():  # those of the call itself have been compared
        warnings.simplefilter("ignore")
        slope, loss = 0.0, total(listed(actual), True)
        if type(loss) is ag.Variable:
            gradients = ag.gradients(loss, list(variables.values()))
            slope = sum(np.sum(g * u) for g, u in zip(gradients, directions.values(), strict=True))
        expected = numeric.central(lambda t: moved(t / 10)) * 10  # a short step, to stay off kinks
    # the difference of numbers of order 10 over a step of 1e-4 leaves some 1e-10
    if abs(slope - expected) > 1e-7 * max(1, abs(expected)):
        return f"slope {slope} instead of {expected}"
    return None


@pytest.mark.parametrize("group", GROUPS)
def test_as_numpy(group):
    wrong = [f"{call}: {found}" for call in GROUPS[group] if (found := difference(call))]
    assert not wrong, "\n".join(wrong)


def test_a_difference_is_seen(monkeypatch):
    """Of each kind: the value, the slope, the dtype, an error, a warning."""
    operations = ag.operators.OPERATIONS

    def plant(function, planted):
        monkeypatch.setitem(operations, function, planted)

    sine = operations[np.sin]
    plant(np.sin, lambda x: sine(x) + 1e-12)
    assert "instead of" in difference("np.sin(x)")
    plant(np.sin, lambda x: sine(x.detach()) + 0 * x)
    assert "slope" in difference("np.sin(x)")
    plant(np.sin, lambda x: sine(x).astype(np.float32))
    assert "float32" in difference("np.sin(x)")
    plant(np.sin, lambda x: 1 / 0)
    assert "ZeroDivisionError" in difference("np.sin(x)")
    plant(np.sin, lambda x: warnings.warn("so", stacklevel=1) or sine(x))
    assert "warned" in difference("np.sin(x)")
    monkeypatch.undo()
    assert difference("np.sin(x)") is None
