import { stringify } from 'yaml'
import { IMAGE_AGENT, IMAGE_SERVICE, IMAGE_USER } from './dockerfile.ts'

/** Name of the service in the composition: what Prometheus asks. */
export const API_HOST = 'api'
/** Where the token is mounted in all containers that need it. */
export const TOKEN_SECRET = '/run/secrets/token'
export const PROMETHEUS_IMAGE = 'prom/prometheus:v2.53.0'
const grafanaImage = 'grafana/grafana:11.1.0'

/** Longer than the 8 s in which the server finishes what is in flight. */
const stopGrace = '15s'
const hardened = {
  restart: 'unless-stopped',
  read_only: true,
  cap_drop: ['ALL'],
  security_opt: ['no-new-privileges:true'],
  logging: { driver: 'json-file', options: { 'max-size': '5m', 'max-file': '3' } },
} as const

export interface ComposeOptions {
  readonly service: string
  readonly port: number
  readonly memoryMebibytes: number
}

/**
 * API, Prometheus and Grafana. Everything listens on this machine's loopback; the token is a file that only `secrets/` holds.
 * Source: compose-spec/compose-spec, schema/compose-spec.json.
 */
export function composeFile({ service, port, memoryMebibytes }: ComposeOptions): string {
  const document = {
    name: service,
    services: {
      [API_HOST]: {
        build: { context: '.', dockerfile: 'Dockerfile' },
        image: `${service}:latest`,
        init: false,
        user: `${IMAGE_USER}:${IMAGE_USER}`,
        ports: [`127.0.0.1:${port}:${port}`],
        environment: { EDGESMITH_TOKEN_FILE: TOKEN_SECRET },
        secrets: ['token'],
        volumes: [`./service/service.json:${IMAGE_SERVICE}/service.json:ro`],
        tmpfs: ['/tmp:size=64m,mode=1777'],
        mem_limit: `${memoryMebibytes}m`,
        pids_limit: 256,
        stop_grace_period: stopGrace,
        healthcheck: {
          test: ['CMD', `${IMAGE_AGENT}/node`, `${IMAGE_AGENT}/health-check.cjs`, '/ready'],
          interval: '10s',
          timeout: '5s',
          retries: 3,
          start_period: '60s',
        },
        ...hardened,
        networks: ['inside'],
      },
      prometheus: {
        image: PROMETHEUS_IMAGE,
        command: [
          '--config.file=/etc/prometheus/prometheus.yml',
          '--storage.tsdb.path=/prometheus',
          '--storage.tsdb.retention.time=30d',
          '--storage.tsdb.retention.size=2GB',
        ],
        depends_on: { [API_HOST]: { condition: 'service_healthy' } },
        ports: ['127.0.0.1:9090:9090'],
        secrets: ['token'],
        volumes: [
          './monitoring/prometheus.yml:/etc/prometheus/prometheus.yml:ro',
          './monitoring/alerts.yml:/etc/prometheus/alerts.yml:ro',
          'prometheus:/prometheus',
        ],
        mem_limit: '512m',
        healthcheck: {
          test: ['CMD', 'wget', '--quiet', '--tries=1', '--spider', 'http://127.0.0.1:9090/-/ready'],
          interval: '30s',
          timeout: '5s',
          retries: 3,
          start_period: '30s',
        },
        ...hardened,
        networks: ['inside'],
      },
      grafana: {
        image: grafanaImage,
        depends_on: { prometheus: { condition: 'service_healthy' } },
        ports: ['127.0.0.1:3000:3000'],
        environment: {
          GF_SECURITY_ADMIN_PASSWORD__FILE: '/run/secrets/grafana-password',
          GF_USERS_ALLOW_SIGN_UP: 'false',
          GF_ANALYTICS_REPORTING_ENABLED: 'false',
          GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
        },
        secrets: ['grafana-password'],
        volumes: [
          './monitoring/grafana/provisioning:/etc/grafana/provisioning:ro',
          './monitoring/grafana/dashboards:/var/lib/grafana/dashboards:ro',
          'grafana:/var/lib/grafana',
        ],
        tmpfs: ['/tmp:size=64m,mode=1777'],
        mem_limit: '512m',
        healthcheck: {
          test: ['CMD', 'wget', '--quiet', '--tries=1', '--spider', 'http://127.0.0.1:3000/api/health'],
          interval: '30s',
          timeout: '5s',
          retries: 3,
          start_period: '60s',
        },
        ...hardened,
        networks: ['inside'],
      },
    },
    networks: { inside: {} },
    volumes: { prometheus: {}, grafana: {} },
    secrets: { token: { file: './secrets/token' }, 'grafana-password': { file: './secrets/grafana-password' } },
  }
  return `# docker compose up --build --detach, after ./make-secrets.sh\n${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`
}
