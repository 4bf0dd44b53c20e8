module mooring

// Released as the tag bindings/go/v0.1.0, the version of c_api/include/mooring/version.h:
// bindings/coverage checks it.
go 1.23
