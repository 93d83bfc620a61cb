"""Objectives of real size, each a plain NumPy function of parameters and data.

The same function runs on arrays and on Variables: it is the objective and its own opponent. Every
module has `objective(*parameters, *data) -> scalar` and `problem(rng, *sizes)`, which returns
parameters, a list of arrays, and data, a tuple. The mixture, bundle adjustment and the LSTM are
those of ADBench (Šrajer, Kukelova, Fitzgibbon 2018, "A benchmark of selected algorithmic
differentiation tools on some problems in computer vision and machine learning"), written from
their definitions.
"""
