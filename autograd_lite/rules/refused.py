"""The NumPy functions that have no derivative rule for good, by reason, and what to do instead.

Called on a tracked Variable they raise MissingRuleError with these words; on plain arrays and
untracked Variables they do what NumPy does. Names, not functions, so that nothing has to be
imported for this table; `python -m autograd_lite.census` holds it against the installed NumPy.
"""

from __future__ import annotations

from autograd_lite.variable import REFUSED

_VALUE = "take .data for the value"

# a clause that follows "<name>: ", what to do, and per module the functions this holds for
_TABLE: list[tuple[str, str, dict[str, str]]] = [
    (
        "it writes into its argument",
        "write ag.put(x, index, value) or np.where(mask, value, x) for a new Variable",
        {"numpy": "copyto fill_diagonal place put put_along_axis putmask"},
    ),
    (
        "it makes a plain array",
        "np.stack and np.concatenate join Variables, np.broadcast_to repeats one, np.copy copies",
        {
            "numpy": "arange array asanyarray asarray ascontiguousarray asfortranarray empty eye "
            "frombuffer fromfunction fromiter fromstring full identity ones require tri zeros"
        },
    ),
    (
        "it reads or writes a file",
        _VALUE,
        {"numpy": "fromfile genfromtxt loadtxt save savetxt savez savez_compressed"},
    ),
    (
        "complex results cannot be tracked",
        "compute the two parts as products of x with matrices of cosines and of sines",
        {
            "numpy.fft": "fft fft2 fftn hfft ifft ifft2 ifftn ihfft irfft irfft2 irfftn rfft rfft2 "
            "rfftn"
        },
    ),
    (
        "complex results cannot be tracked",
        "use np.linalg.eigh or np.linalg.eigvalsh if the matrix is symmetric",
        {"numpy.linalg": "eig eigvals"},
    ),
    (
        "complex results cannot be tracked",
        f"call the function of that name in np itself if the result is real, or {_VALUE}",
        {
            "numpy.lib.scimath": "arccos arcsin arctanh log log10 log2 logn power sqrt",
        },
    ),
    (
        "it is for complex numbers",
        _VALUE,
        {"numpy": "angle roots sort_complex"},
    ),
    (
        "it belongs to the Fourier transforms",
        "write np.roll, which is all it does",
        {"numpy.fft": "fftshift ifftshift"},
    ),
    (
        "which entries it returns depends on their values",
        "take .data to find their places, and index the Variable with those",
        {
            "numpy": "intersect1d setdiff1d setxor1d trim_zeros union1d unique unique_all "
            "unique_counts unique_inverse unique_values"
        },
    ),
    (
        "counts have no derivative",
        _VALUE,
        {"numpy": "histogram histogram2d histogram_bin_edges histogramdd"},
    ),
    (
        "it is for integers, truths or bits",
        _VALUE,
        {"numpy": "ix_ packbits ravel_multi_index unpackbits unravel_index"},
    ),
    (
        "the spacing of floating-point numbers has no derivative",
        "take .data for the value, or write np.copy, from which it differs by one rounding",
        {"numpy": "nextafter"},
    ),
    (
        "it belongs to NumPy's polynomials",
        "write np.polyval to evaluate, np.convolve to multiply, np.linalg.lstsq to fit",
        {"numpy": "poly polydiv polyfit", "numpy.polynomial.polynomial": "polygrid2d polyval2d"},
    ),
    (
        "its derivative, the Bessel function i1, is not in NumPy",
        "add it with SciPy's: ag.primitive(scipy.special.i0, lambda g, z, x: g * i1(x))",
        {"numpy": "i0"},
    ),
    (
        "it is for dates",
        _VALUE,
        {"numpy": "busday_count busday_offset datetime_as_string is_busday isnat"},
    ),
    (
        "it is for text",
        _VALUE,
        {
            "numpy.strings": "_join _rsplit _split _splitlines capitalize center decode encode "
            "expandtabs isalnum isalpha isdecimal isdigit islower isnumeric isspace istitle "
            "isupper ljust lower mod multiply partition replace rjust rpartition str_len swapcase "
            "title translate upper zfill",
            "numpy.char": "equal greater greater_equal less less_equal not_equal",
        },
    ),
    (
        "it is for records with named fields",
        "keep a Variable for every field",
        {
            "numpy.lib.recfunctions": "append_fields apply_along_fields assign_fields_by_name "
            "drop_fields find_duplicates join_by merge_arrays rec_append_fields rec_drop_fields "
            "rec_join recursive_fill_fields rename_fields repack_fields require_fields "
            "stack_arrays structured_to_unstructured unstructured_to_structured"
        },
    ),
    (
        "the method of a plain array has no derivative rule",
        "write np.clip(x, lower, upper)",
        {"ufunc": "clip"},
    ),
    (
        "it is one of NumPy's inner parts",
        "call the public function that is built on it",
        {
            "ufunc": "_center _expandtabs _expandtabs_length _ljust _lstrip_chars "
            "_lstrip_whitespace _ones_like _partition _partition_index _replace _rjust _rpartition "
            "_rpartition_index _rstrip_chars _rstrip_whitespace _slice _strip_chars "
            "_strip_whitespace _zfill count endswith find index rfind rindex startswith"
        },
    ),
]

for _reason, _advice, _modules in _TABLE:
    for _module, _names in _modules.items():
        for _name in _names.split():
            REFUSED[f"{_module}.{_name}"] = (_reason, _advice)
