// Package camera drives plate cameras that publish over MQTT 3.1.1, in one of
// two forms: Gatehouse's own (described in README.md: a JSON message about a
// capture and the picture on a topic beside it) and that of Frigate 0.17
// (docs/integrations/mqtt.md of blakeblackshear/frigate).
//
// The session is persistent and messages are acknowledged by hand, after the
// reading made of them is stored: what a broker delivered and the gate lost in
// a crash is delivered again. Re-deliveries are known by their DUP flag and
// content, and after a restart by the reading's key.
package camera
