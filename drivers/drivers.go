// Package drivers is the one list of device drivers. A new driver is a folder
// here and a line in All.
package drivers

import (
	"gatehouse/drivers/barcode"
	"gatehouse/drivers/barrier"
	"gatehouse/drivers/camera"
	"gatehouse/drivers/mrz"
	"gatehouse/drivers/rpm"
	"gatehouse/drivers/scale"
	"gatehouse/drivers/xray"
	"gatehouse/internal/driver"
)

// All lists every driver in the order in which they are shown.
func All() []driver.Kind {
	return []driver.Kind{rpm.Kind(), camera.Kind(), xray.Kind(), mrz.Kind(), barrier.Kind(), scale.Kind(), barcode.Kind()}
}
