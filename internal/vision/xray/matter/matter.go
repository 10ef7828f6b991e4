// Package matter holds how much matter attenuates X-rays. The figures are the
// mass attenuation coefficients of NIST Standard Reference Database 126 (J. H.
// Hubbell and S. M. Seltzer, NISTIR 5632, July 2004), without coherent-scatter
// corrections; compounds are mixed by weight.
package matter

import (
	"math"
	"slices"
	"sort"
)

// Material is a substance as a mixture of elements by weight.
type Material struct {
	Name    string
	Density float64 // g/cm3
	Parts   map[string]float64
	Class   Class
}

// Class is what two energies can tell of a material: by effective atomic
// number, organic below 10, metal from 20.
type Class uint8

// Classes, in the order of their effective atomic number.
const (
	Air Class = iota
	Organic
	Inorganic
	Metal
	Opaque  // nothing comes through
	Unknown // something is there, and the signal does not tell what
)

// String is the class as results name it.
func (c Class) String() string {
	return [...]string{"air", "organic", "inorganic", "metal", "opaque", "unknown"}[min(c, Unknown)]
}

// Energies at which the coefficients are listed, keV.
func Energies() []float64 {
	return []float64{
		20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 500, 600, 800, 1000, 1250, 1500, 2000, 3000, 4000, 5000, 6000,
	}
}

// element is the row of mass attenuation coefficients of an element, cm2/g, or
// nil. Lead's row has its K edge at 88.0 keV between 80 and 100, see Mu.
func element(symbol string) []float64 {
	switch symbol {
	case "H":
		return []float64{.3695, .3570, .3458, .3355, .3260, .3091, .2944, .2651, .2429, .2112, .1893, .1729, .1599, .1405, .1263, .1129, .1027, .08769, .06921, .05806, .05049, .04498}
	case "C":
		return []float64{.4420, .2562, .2076, .1871, .1753, .1610, .1514, .1347, .1229, .1066, .09546, .08715, .08058, .07076, .06361, .05690, .05179, .04442, .03562, .03047, .02708, .02469}
	case "N":
		return []float64{.6178, .3066, .2288, .1980, .1817, .1639, .1529, .1353, .1233, .1068, .09557, .08719, .08063, .07081, .06364, .05693, .05180, .04450, .03579, .03073, .02742, .02511}
	case "O":
		return []float64{.8651, .3779, .2585, .2132, .1907, .1678, .1551, .1361, .1237, .1070, .09566, .08729, .08070, .07087, .06372, .05697, .05185, .04459, .03597, .03100, .02777, .02552}
	case "Al":
		return []float64{3.441, 1.128, .5685, .3681, .2778, .2018, .1704, .1378, .1223, .1042, .09276, .08445, .07802, .06841, .06146, .05496, .05006, .04324, .03541, .03106, .02836, .02655}
	case "Si":
		return []float64{4.464, 1.436, .7012, .4385, .3207, .2228, .1835, .1448, .1275, .1082, .09614, .08748, .08077, .07082, .06361, .05688, .05183, .04480, .03678, .03240, .02967, .02788}
	case "Fe":
		return []float64{25.68, 8.176, 3.629, 1.958, 1.205, .5952, .3717, .1964, .1460, .1099, .09400, .08414, .07704, .06699, .05995, .05350, .04883, .04265, .03621, .03312, .03146, .03057}
	case "Cu":
		return []float64{33.79, 10.92, 4.862, 2.613, 1.593, .7630, .4584, .2217, .1559, .1119, .09413, .08362, .07625, .06605, .05901, .05261, .04803, .04205, .03599, .03318, .03177, .03108}
	case "Pb":
		return []float64{86.36, 30.32, 14.36, 8.041, 5.021, 2.419, 5.549, 2.014, .9985, .4031, .2323, .1614, .1248, .08870, .07102, .05876, .05222, .04606, .04234, .04197, .04272, .04391}
	}
	return nil
}

// Mu is the mass attenuation coefficient in cm2/g at an energy in keV, by
// interpolation of logarithms; energies outside 20..6000 keV count as the edge.
func (m Material) Mu(keV float64) float64 {
	sum := 0.0
	for symbol, share := range m.Parts {
		sum += share * mu(symbol, keV)
	}
	return sum
}

// Lead's K edge: energy in keV, and the coefficients below and above it.
const (
	leadEdge      = 88.0045
	leadEdgeBelow = 1.910
	leadEdgeAbove = 7.683
)

func mu(symbol string, keV float64) float64 {
	at, row := Energies(), element(symbol)
	keV = min(max(keV, at[0]), at[len(at)-1])
	i := min(sort.SearchFloat64s(at, keV), len(at)-1)
	if i == 0 || at[i] == keV {
		return row[i]
	}
	e0, e1, m0, m1 := at[i-1], at[i], row[i-1], row[i]
	if symbol == "Pb" && e0 < leadEdge && e1 > leadEdge {
		if keV < leadEdge {
			e1, m1 = leadEdge, leadEdgeBelow
		} else {
			e0, m0 = leadEdge, leadEdgeAbove
		}
	}
	t := math.Log(keV/e0) / math.Log(e1/e0)
	return math.Exp(math.Log(m0)*(1-t) + math.Log(m1)*t)
}

// Materials that phantoms and test objects are made of.
func Materials() []Material {
	return []Material{
		{"polyethylene", 0.93, map[string]float64{"H": 0.1437, "C": 0.8563}, Organic},
		{"water", 1.00, map[string]float64{"H": 0.1119, "O": 0.8881}, Organic},
		{"acrylic", 1.19, map[string]float64{"H": 0.0805, "C": 0.5998, "O": 0.3196}, Organic},
		{"nylon", 1.14, map[string]float64{"H": 0.0980, "C": 0.6368, "N": 0.1238, "O": 0.1414}, Organic},
		{"cellulose", 0.80, map[string]float64{"H": 0.0622, "C": 0.4445, "O": 0.4934}, Organic},
		{"glass", 2.20, map[string]float64{"Si": 0.4674, "O": 0.5326}, Inorganic},
		{"aluminium", 2.70, map[string]float64{"Al": 1}, Inorganic},
		{"steel", 7.87, map[string]float64{"Fe": 1}, Metal},
		{"copper", 8.96, map[string]float64{"Cu": 1}, Metal},
		{"lead", 11.35, map[string]float64{"Pb": 1}, Metal},
	}
}

// Named is a material by its name.
func Named(name string) (Material, bool) {
	all := Materials()
	i := slices.IndexFunc(all, func(m Material) bool { return m.Name == name })
	if i < 0 {
		return Material{}, false
	}
	return all[i], true
}
