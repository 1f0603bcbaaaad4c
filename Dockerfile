# syntax=docker/dockerfile:1
#
#   docker buildx build --platform linux/amd64,linux/arm64 --tag registry.example.com/argocd-image-updater:0.1.0 --push \
#     --build-arg GIT_COMMIT="$(git rev-parse HEAD)" --build-arg BUILD_DATE="$(date -u +%Y-%m-%dT%H:%M:%SZ)" .
#
# Each platform is built on itself: natively where buildx has such a node, else under emulation.

FROM rust:1.95-slim-trixie AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake g++ libssl-dev make pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
ARG GIT_COMMIT=unknown
ARG BUILD_DATE=1970-01-01T00:00:00Z
ARG TARGETPLATFORM
# A cache for each platform: cargo locks its folder, but not from a build in another container.
RUN --mount=type=cache,id=registry-${TARGETPLATFORM},target=/usr/local/cargo/registry \
    --mount=type=cache,id=target-${TARGETPLATFORM},target=/src/target \
    IMAGE_UPDATER_GIT_COMMIT="$GIT_COMMIT" IMAGE_UPDATER_BUILD_DATE="$BUILD_DATE" \
    cargo build --locked --release --features tls11,otlp --bin argocd-image-updater \
    && cp target/release/argocd-image-updater /argocd-image-updater

FROM debian:trixie-slim
# A shell, git and ssh: for scripts that get credentials of registries, and for writing to git.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git libssl3t64 openssh-client tini \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 1000 updater \
    # ssh wants to know the name of whoever runs it.
    && useradd --uid 1000 --gid 1000 --home-dir /app --shell /usr/sbin/nologin --no-create-home updater \
    # The mount points of the Deployment.
    && install --directory --owner=1000 --group=1000 /app /app/config /app/config/ssh /app/config/tls /app/.ssh /app/ssh-keys
COPY --from=build /argocd-image-updater /usr/local/bin/argocd-image-updater
# The names that the Go program and its init have in its image: a Deployment may spell them out.
RUN ln -s /usr/local/bin/argocd-image-updater /manager \
    && ln -s /usr/bin/tini /usr/sbin/tini
ARG GIT_COMMIT=unknown
ARG BUILD_DATE=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="argocd-image-updater" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="$GIT_COMMIT" \
      org.opencontainers.image.created="$BUILD_DATE"
ENV HOME=/app
WORKDIR /app
# By number, so that Kubernetes can tell that it is not root.
USER 1000:1000
EXPOSE 8080 8081 8082 8443
# It ends by SIGTERM within --shutdown-grace, and tini passes signals on.
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/argocd-image-updater"]
CMD ["run"]
