package hub

// DriverUser is the MQTT user, and client id prefix, of the gate's own drivers.
const DriverUser = "gatehouse"
