import type { ExportContext } from '../exporter.ts'
import { askingSection, modelSection } from '../model-text.ts'
import { SERVICE_PORT } from '../service-files.ts'

export function dockerReadme(context: ExportContext, memoryMebibytes: number): string {
  const { service, release } = context
  const address = `http://127.0.0.1:${SERVICE_PORT}`
  return `${[
    `# ${service}: a REST API in a container`,
    `Everything the image holds is in this folder: nothing is downloaded but its base.`,
    `\`\`\`sh
sha256sum -c --quiet SHA256SUMS
./make-secrets.sh                      # token and Grafana's password, once
docker compose up --build --detach     # the API, Prometheus and Grafana
\`\`\``,
    `The API is at ${address}, Prometheus at http://127.0.0.1:9090, Grafana at http://127.0.0.1:3000 (user \`admin\`, password in \`secrets/grafana-password\`) with the dashboard *Edgesmith: ${service}*. All three listen on this machine only.`,
    askingSection(context, address, '$(cat secrets/token)', service),
    modelSection(context),
    '## The API alone',
    `\`\`\`sh
docker build -t ${service} .
# Podman: podman build --platform linux/amd64 --format docker -t ${service} .
docker run --rm -p 127.0.0.1:${SERVICE_PORT}:${SERVICE_PORT} --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \\
  --memory ${memoryMebibytes}m -e EDGESMITH_TOKEN="$(cat secrets/token)" ${service}
\`\`\``,
    `\`EDGESMITH_TOKEN\`, or a file named by \`EDGESMITH_TOKEN_FILE\`, holds the token: 16 to 256 printable characters. Nothing is written but \`/tmp\` (\`EDGESMITH_STATE_FOLDER\` names another folder, for a prediction log that is to be kept). The container runs as user 10001, and finishes what is in flight when it is stopped.`,
    '## On boards',
    `\`Dockerfile.edge\` gives a smaller image without a shell, for x86-64 and 64-bit ARM alike; nothing is emulated while it is built:`,
    `\`\`\`sh
docker buildx build --platform linux/amd64,linux/arm64 -f Dockerfile.edge -t REGISTRY/${service} --push .
\`\`\``,
    '## For others on the network',
    `Publish the port on another address (\`ports\` in \`docker-compose.yml\`), and add the names clients use to \`network.hosts\` in \`service/service.json\`; others are refused (421). Traffic is not encrypted: put a proxy with TLS before it.`,
    '## Watching it',
    `\`monitoring/alerts.yml\` has rules for an API that is down, fails, is slow, is stuck or restarts${release.driftReference === null ? '' : ', and for data that drifted'}; connect your Alertmanager in \`monitoring/prometheus.yml\`. Metrics that begin with \`nv_\` mean what they mean in Triton.`,
    '## Not verified',
    `Edgesmith is tested by building such images with Podman and running them as the composition says, with Prometheus; Dockerfiles are linted and the composition is validated against its schema. These very files were not built.`,
  ].join('\n\n')}\n`
}
