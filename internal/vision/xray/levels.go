package xray

import (
	"gocv.io/x/gocv"

	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray/intake"
	"gatehouse/internal/vision/xray/physics"
)

// LevelsOf are the pixels of a scan at full size, for measurements on a test
// object. Colours are no measurement and are refused.
func LevelsOf(s *intake.Scan) (physics.Levels, error) {
	if s.Mat.Channels() != 1 {
		return physics.Levels{}, wire.Errorf(wire.Unsupported, "the scan is in colours; measurements need the scanner's grey values")
	}
	l := physics.Levels{Steps: 256}
	if s.Mat.Type()&7 == gocv.MatTypeCV16U { // the depth without the channels
		l.Steps = 65536
	}
	high, err := levels(s.Mat, 1)
	if err != nil {
		return l, wire.Errorf(wire.Internal, "read the grey values: %v", err)
	}
	l.W, l.H, l.High = high.W, high.H, high.V
	if s.Low != nil {
		low, err := levels(*s.Low, 1)
		if err != nil {
			return l, wire.Errorf(wire.Internal, "read the grey values: %v", err)
		}
		l.Low = low.V
	}
	return l, nil
}
