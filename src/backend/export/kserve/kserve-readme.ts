import type { ExportContext } from '../exporter.ts'
import { markdownText, modelSection } from '../model-text.ts'
import { tokenSecret } from './kubernetes.ts'

export function kserveReadme(context: ExportContext, claim: string, notes: readonly string[]): string {
  const { service } = context
  const makeSecret = `kubectl create secret generic ${tokenSecret(service)} --from-literal=token="$(head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \\n')"`
  return `${[
    `# ${service} on Kubernetes`,
    'Three ways, each in a folder of its own; take one:',
    [
      '- `kubernetes/`: a Deployment of our server with Service and autoscaler, for any cluster, k3s on boards among them',
      '- `kserve/`: the same container as an InferenceService of KServe',
      '- `kserve-triton/`: an InferenceService in which Triton serves the model (`protocolVersion: v2`)',
    ].join('\n'),
    '## The image',
    `\`kubernetes/\` and \`kserve/\` run the image that \`edgesmith export MODEL --format docker --name ${service}\` describes. Build it for the processors of your nodes with \`Dockerfile.edge\`, push it, and write its name and tag into \`images\` in \`kustomization.yaml\`.`,
    '## Plain Kubernetes, k3s',
    `\`\`\`sh
${makeSecret}
kubectl apply -k kubernetes/
kubectl rollout status deployment/${service}
kubectl port-forward service/${service} 8080:80 &
TOKEN=$(kubectl get secret ${tokenSecret(service)} -o jsonpath='{.data.token}' | base64 -d)
curl -s -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/health
\`\`\``,
    `The service answers to the names \`${service}\`, \`${service}.default\`, … (\`network.hosts\` in \`settings.yaml\`); in another namespace, or behind an ingress, add the names it is asked under. Probes run the check that lies in the image, because HTTP probes cannot take the token from a secret. Prometheus: scrape \`/metrics\` with the token as bearer.`,
    '## KServe with our server',
    `\`\`\`sh
${makeSecret}
kubectl apply -k kserve/
kubectl get inferenceservice ${service}
\`\`\``,
    `Write the host that KServe gives the service into \`network.hosts\` in \`kserve/settings.yaml\` instead of \`${service}.default.example.com\`. Clients ask \`/v2/models/${service}/infer\` or \`/predict\`.`,
    '## KServe with Triton',
    `\`\`\`sh
kubectl apply -f kserve-triton/volume.yaml
# A pod that holds the volume for a moment, to copy the model into it:
kubectl run ${service}-copy --image=busybox:1.36 --restart=Never --overrides='{"spec":{"containers":[{"name":"copy","image":"busybox:1.36","command":["sleep","600"],"volumeMounts":[{"name":"models","mountPath":"/models"}]}],"volumes":[{"name":"models","persistentVolumeClaim":{"claimName":"${claim}"}}]}}'
kubectl wait --for=condition=Ready pod/${service}-copy
kubectl cp kserve-triton/model-repository ${service}-copy:/models/model-repository
kubectl delete pod ${service}-copy
kubectl apply -f kserve-triton/inference-service.yaml
\`\`\``,
    notes.map((note) => `- ${markdownText(note)}`).join('\n'),
    modelSection(context),
    '## Not verified',
    'No cluster was at hand: the tests of Edgesmith validate such manifests against the schemas of Kubernetes 1.31 and of KServe; these were not applied.',
  ].join('\n\n')}\n`
}
