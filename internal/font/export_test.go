package font

// Mended is for tests of fonts that no other reader here takes.
var Mended = mended
