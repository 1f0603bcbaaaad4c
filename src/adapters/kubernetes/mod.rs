//! ImageUpdaters and Applications in a cluster, through the Kubernetes API.

mod patch;
