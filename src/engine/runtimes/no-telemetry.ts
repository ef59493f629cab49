// Imported for its effect by everything that opens a session: ONNX Runtime 1.30 on Linux otherwise keeps a device id and a database of
// usage events in the home directory and tries to send them to its maker. It reads the variable when the first session is made.
process.env.ORT_DISABLE_TELEMETRY = '1'
