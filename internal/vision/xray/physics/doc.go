// Package physics turns levels of a scanner into what the beam went through:
// transmission, log attenuation and, with two energies, material, mass and what
// could not be inspected. It knows a scanner by its calibration only.
//
// What is measured on phantoms whose spectrum, scatter and noise the analysis
// knows only from a wedge scan, between 2 and 30 mm steel-equivalent: classes
// right for 99.0 % (140 kV), 99.98 % (160 kV) and 100 % (180 kV) of the pixels.
// Mass is within 10 %, but for copper at 140 kV: 12 % too heavy from 12 to 25 mm
// and 22 % at 30 mm. There steel and copper of one attenuation, which differ by
// 18 % in mass, differ by 0.02 in the low energy's log attenuation, less than
// what the calibration leaves; the mass taken lies between them. At 30 mm
// little is left of the low energy, and one copper pixel in six is taken for
// another class.
package physics
