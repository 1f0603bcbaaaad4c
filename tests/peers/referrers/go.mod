// A registry with the referrers API, in a module of its own, as Helm is.
module image-updater.test/peers/referrers

go 1.26.0

require github.com/google/go-containerregistry v0.22.1
