import type { Deployment } from '../contract/deployment.ts'
import { deploymentSchema } from '../contract/deployment.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readJson, readOptionalJson } from './json-column.ts'

/** A deployment as stored; the tunnel's address is added by whoever holds the tunnel. */
export type StoredDeployment = Omit<Deployment, 'localUrl'>
/** What a device said of a service since it was deployed. */
export type SeenDeployment = Partial<Pick<StoredDeployment, 'state' | 'release' | 'modelId' | 'port' | 'supervision' | 'survivesReboot'>>

interface DeploymentRow {
  id: string
  service: string
  deviceId: string
  device: string
  modelId: string
  model: string
  port: number
  preprocessing: string
  release: string | null
  settings: string | null
  supervision: string | null
  survivesReboot: number | null
  datasetId: string | null
  state: string
  createdAt: string
}

const columns = `
  select d.id, d.service, d.device_id as deviceId, v.name as device, d.model_id as modelId, m.name as model, d.port, d.preprocessing,
    d.release, d.settings, d.supervision, d.survives_reboot as survivesReboot, d.dataset_id as datasetId, d.state, d.created_at as createdAt
  from deployments d join devices v on v.id = d.device_id join models m on m.id = d.model_id`

/** What is deployed where. One row for each service of a device. */
export class DeploymentRepository {
  private readonly database: WorkspaceDatabase

  constructor(database: WorkspaceDatabase) {
    this.database = database
  }

  list(): StoredDeployment[] {
    return this.database.prepare<[], DeploymentRow>(`${columns} order by d.created_at desc, d.rowid desc`).all().map(toDeployment)
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  get(id: string): StoredDeployment {
    const row = this.database.prepare<[string], DeploymentRow>(`${columns} where d.id = ?`).get(id)
    if (!row) throw new EdgesmithError('NOT_FOUND', `There is no deployment ${id}`)
    return toDeployment(row)
  }

  /** The service of that name on a device; undefined without. */
  find(deviceId: string, service: string): StoredDeployment | undefined {
    const row = this.database
      .prepare<[string, string], DeploymentRow>(`${columns} where d.device_id = ? and d.service = ?`)
      .get(deviceId, service)
    return row && toDeployment(row)
  }

  /** Adds the service, or puts the new release in place of the old one of the same name on that device. */
  put(deployment: Omit<StoredDeployment, 'device' | 'model'>): StoredDeployment {
    this.database
      .prepare(
        `insert into deployments (id, service, device_id, model_id, port, preprocessing, release, settings, supervision, survives_reboot, dataset_id, state, created_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         on conflict (device_id, service) do update set model_id = excluded.model_id, port = excluded.port, preprocessing = excluded.preprocessing,
           release = excluded.release, settings = excluded.settings, supervision = excluded.supervision, survives_reboot = excluded.survives_reboot,
           dataset_id = excluded.dataset_id, state = excluded.state, created_at = excluded.created_at`,
      )
      .run(
        deployment.id,
        deployment.service,
        deployment.deviceId,
        deployment.modelId,
        deployment.port,
        JSON.stringify(deployment.preprocessing),
        deployment.release,
        deployment.settings && JSON.stringify(deployment.settings),
        deployment.supervision,
        toColumn(deployment.survivesReboot),
        deployment.datasetId,
        deployment.state,
        deployment.createdAt,
      )
    const stored = this.find(deployment.deviceId, deployment.service)
    if (stored === undefined) throw new Error(`the deployment ${deployment.service} was not stored`)
    return stored
  }

  /** Notes what the device said; what is left out stays. Answers whether that was anything new. */
  see(id: string, seen: SeenDeployment): boolean {
    const before = this.get(id)
    const { state, release, modelId, port, supervision, survivesReboot } = { ...before, ...seen }
    const after = { ...before, state, release, modelId, port, supervision, survivesReboot }
    if (JSON.stringify(after) === JSON.stringify(before)) return false
    this.database
      .prepare('update deployments set state = ?, release = ?, model_id = ?, port = ?, supervision = ?, survives_reboot = ? where id = ?')
      .run(state, release, modelId, port, supervision, toColumn(survivesReboot), id)
    return true
  }

  remove(id: string): void {
    this.database.prepare('delete from deployments where id = ?').run(id)
  }
}

function toDeployment(row: DeploymentRow): StoredDeployment {
  const where = `deployment ${row.id}`
  const { shape } = deploymentSchema
  return {
    ...row,
    preprocessing: readJson(shape.preprocessing, row.preprocessing, `${where} preprocessing`),
    settings: readOptionalJson(shape.settings.unwrap(), row.settings, `${where} settings`),
    supervision: shape.supervision.parse(row.supervision),
    survivesReboot: row.survivesReboot === null ? null : row.survivesReboot === 1,
    state: shape.state.parse(row.state),
  }
}

function toColumn(value: boolean | null): number | null {
  return value === null ? null : Number(value)
}
