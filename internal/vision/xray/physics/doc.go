// Package physics turns levels of a scanner into what the beam went through:
// transmission, log attenuation and, with two energies, material, mass and what
// could not be inspected. It knows a scanner by its calibration only.
//
// What is measured on phantoms whose spectrum, scatter and noise the analysis
// knows only from a wedge scan, between 2 and 30 mm steel-equivalent: classes
// right for 95.9 % (140 kV), 99.6 % (160 kV) and 100 % (180 kV) of the pixels.
// Mass is within 10 % at 160 and 180 kV, but for copper of 30 mm at 160 kV
// (+28 %). At 140 kV the low energy sees nothing behind some 20 mm of steel:
// copper is 10 to 14 % too heavy from 8 mm on, and at 25 to 30 mm neither class
// nor mass can be relied on (aluminium -34 %, steel +46 %, copper twice as much).
package physics
