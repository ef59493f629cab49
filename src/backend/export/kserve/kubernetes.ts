import type { ServiceSettingsFile } from '../../../contract/service.ts'
import { IMAGE_AGENT, IMAGE_SERVICE, IMAGE_USER } from '../docker/dockerfile.ts'
import { json, SERVICE_PORT } from '../service-files.ts'

export interface KubernetesOptions {
  readonly service: string
  readonly memoryMebibytes: number
  readonly threads: number
}

const settingsFile = 'service.json'
/** Names of the secret's key, and of the object that holds it. */
const tokenKey = 'token'
export const tokenSecret = (service: string) => `${service}-token`

const labelsOf = (service: string) => ({ 'app.kubernetes.io/name': service, 'app.kubernetes.io/managed-by': 'edgesmith' })

/** Pods as Kubernetes makes them: needs no Knative, whose pods may not have all of this. The name that all versions of KServe know. */
const withoutKnative = { 'serving.kserve.io/deploymentMode': 'RawDeployment' }

/** Names under which a service is asked inside a cluster. Another namespace: another settings file. */
export function clusterHosts(service: string, namespace: string): string[] {
  return [service, `${service}.${namespace}`, `${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`]
}

/** The server's container: image of the docker export, nothing writable, no rights. */
function container({ service, memoryMebibytes, threads }: KubernetesOptions): object {
  const probe = (path: string) => ({
    exec: { command: [`${IMAGE_AGENT}/node`, `${IMAGE_AGENT}/health-check.cjs`, path] },
    timeoutSeconds: 5,
  })
  return {
    name: 'api',
    image: service,
    imagePullPolicy: 'IfNotPresent',
    ports: [{ name: 'http', containerPort: SERVICE_PORT }],
    env: [{ name: 'EDGESMITH_TOKEN', valueFrom: { secretKeyRef: { name: tokenSecret(service), key: tokenKey } } }],
    // The probes need the token, which HTTP probes cannot take from a secret.
    startupProbe: { ...probe('/ready'), periodSeconds: 2, failureThreshold: 60 },
    readinessProbe: { ...probe('/ready'), periodSeconds: 10, failureThreshold: 3 },
    livenessProbe: { ...probe('/health'), periodSeconds: 30, failureThreshold: 3 },
    resources: {
      requests: { cpu: '100m', memory: `${Math.ceil(memoryMebibytes / 2)}Mi` },
      limits: { cpu: String(threads + 1), memory: `${memoryMebibytes}Mi` },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: IMAGE_USER,
      runAsGroup: IMAGE_USER,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: 'settings', mountPath: `${IMAGE_SERVICE}/${settingsFile}`, subPath: settingsFile, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  }
}

export function settingsMap(service: string, settings: ServiceSettingsFile): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${service}-settings`, labels: labelsOf(service) },
    data: { [settingsFile]: json(settings) },
  }
}

/** Pods that share nothing; a new one takes over before an old one ends. */
export function deployment(options: KubernetesOptions): object {
  const { service } = options
  const labels = labelsOf(service)
  const matchLabels = { 'app.kubernetes.io/name': service }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: service, labels },
    spec: {
      // How many: the autoscaler's to say.
      selector: { matchLabels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          // Longer than the 8 s in which the server finishes what is in flight.
          terminationGracePeriodSeconds: 20,
          containers: [container(options)],
          volumes: [
            { name: 'settings', configMap: { name: `${service}-settings` } },
            { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
          ],
        },
      },
    },
  }
}

export function clusterService(service: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service, labels: labelsOf(service) },
    spec: {
      type: 'ClusterIP',
      selector: { 'app.kubernetes.io/name': service },
      ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
    },
  }
}

/** Another pod where those that run use most of a processor; slow to take one away. k3s brings the metrics server this needs. */
export function autoscaler(service: string): object {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: service, labels: labelsOf(service) },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: service },
      minReplicas: 1,
      maxReplicas: 4,
      // Of an absolute amount: the request is small on purpose, so that pods fit on boards.
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '700m' } } }],
      behavior: { scaleDown: { stabilizationWindowSeconds: 300, policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } },
    },
  }
}

/** KServe's own object for our server: the container is the same, KServe gives it a route and scales it. */
export function customInferenceService(options: KubernetesOptions): object {
  const { service } = options
  return inferenceService(service, {
    containers: [
      { ...container(options), name: 'kserve-container', ports: [{ name: 'http1', containerPort: SERVICE_PORT, protocol: 'TCP' }] },
    ],
    volumes: [
      { name: 'settings', configMap: { name: `${service}-settings` } },
      { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
    ],
  })
}

/** KServe with Triton: protocol V2 over the model repository in a volume. */
export function tritonInferenceService({ service, memoryMebibytes, threads }: KubernetesOptions, claim: string): object {
  return inferenceService(service, {
    model: {
      modelFormat: { name: 'onnx', version: '1' },
      runtime: 'kserve-tritonserver',
      protocolVersion: 'v2',
      storageUri: `pvc://${claim}/model-repository`,
      resources: {
        requests: { cpu: '100m', memory: `${tritonMebibytes(memoryMebibytes) / 2}Mi` },
        limits: { cpu: String(threads + 1), memory: `${tritonMebibytes(memoryMebibytes)}Mi` },
      },
    },
  })
}

/** @param predictor what serves, beside how many there are of it */
function inferenceService(service: string, predictor: object): object {
  return {
    apiVersion: 'serving.kserve.io/v1beta1',
    kind: 'InferenceService',
    metadata: { name: service, labels: labelsOf(service), annotations: withoutKnative },
    spec: { predictor: { minReplicas: 1, maxReplicas: 4, automountServiceAccountToken: false, ...predictor } },
  }
}

/** Triton alone takes far more than our server. */
function tritonMebibytes(memoryMebibytes: number): number {
  return memoryMebibytes + 1024
}

export function modelClaim(name: string, service: string, modelBytes: number): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, labels: labelsOf(service) },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: `${Math.max(1, Math.ceil((modelBytes * 2) / 2 ** 30))}Gi` } },
    },
  }
}

/** What belongs together. @param files names beside it */
export function kustomization(service: string, files: readonly string[], withImage: boolean): object {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: files,
    ...(withImage ? { images: [{ name: service, newName: `registry.example/${service}`, newTag: 'latest' }] } : {}),
  }
}
