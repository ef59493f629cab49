/** Where the server lies in the image, and the service. */
export const IMAGE_AGENT = '/opt/edgesmith'
export const IMAGE_SERVICE = '/service'
/** Not root, and no user of Debian's. */
export const IMAGE_USER = 10001

export interface DockerfileOptions {
  readonly service: string
  readonly port: number
  readonly edgesmithVersion: string
  /** For servers: Debian without extras, with a shell to look around. For boards: nothing but the libraries programs need. */
  readonly kind: 'server' | 'edge'
}

/** Both have glibc, libstdc++ and libgcc_s, which Node needs; the second has no shell and no package manager, and is a third of the size. */
const bases = { server: 'debian:12-slim', edge: 'gcr.io/distroless/cc-debian12:nonroot' } as const

/**
 * The image in two stages. The first runs on the computer that builds, whatever the image is for, and checks every file; the last only copies,
 * so that nothing is emulated when it is built for another processor. BuildKit sets TARGETARCH.
 */
export function dockerfile({ service, port, edgesmithVersion, kind }: DockerfileOptions): string {
  return `# syntax=docker/dockerfile:1
# ${kind === 'server' ? `docker build -t ${service} .` : `docker buildx build --platform linux/amd64,linux/arm64 -f Dockerfile.edge -t REGISTRY/${service} --push .`}

FROM --platform=$BUILDPLATFORM debian:12-slim AS files
ARG TARGETARCH
WORKDIR /build
COPY SHA256SUMS health-check.cjs launch.cjs ./
COPY agent/\${TARGETARCH} agent/\${TARGETARCH}
COPY service service
RUN grep -E "  (agent/\${TARGETARCH}|service)/|  (health-check|launch)\\.cjs$" SHA256SUMS > own-sums \\
 && sha256sum --check --quiet own-sums \\
 && mkdir /files \\
 && mv "agent/\${TARGETARCH}" /files/agent \\
 && mv service /files/service \\
 && mv health-check.cjs launch.cjs /files/agent/ \\
 && chmod -R u=rwX,go=rX /files \\
 && chmod 755 /files/agent/node

FROM ${bases[kind]}
LABEL org.opencontainers.image.title="${service}" \\
      org.opencontainers.image.description="REST API of a model, made by Edgesmith ${edgesmithVersion}"
ENV NODE_ENV=production \\
    ORT_DISABLE_TELEMETRY=1 \\
    HOME=/tmp
COPY --from=files /files/agent ${IMAGE_AGENT}
COPY --from=files /files/service ${IMAGE_SERVICE}
USER ${IMAGE_USER}:${IMAGE_USER}
WORKDIR ${IMAGE_SERVICE}
EXPOSE ${port}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \\
  CMD ["${IMAGE_AGENT}/node", "${IMAGE_AGENT}/health-check.cjs", "/ready"]
ENTRYPOINT ["${IMAGE_AGENT}/node", "${IMAGE_AGENT}/launch.cjs"]
CMD ["${IMAGE_SERVICE}"]
`
}

/** What is not sent to the builder: secrets above all. */
export const dockerIgnore = `*
!SHA256SUMS
!health-check.cjs
!launch.cjs
!agent
!service
`
