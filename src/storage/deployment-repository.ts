import type { Deployment } from '../contract/deployment.ts'
import { deploymentSchema } from '../contract/deployment.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readJson } from './json-column.ts'

type State = Deployment['state']
/** A deployment as stored; the tunnel's address is added by whoever holds the tunnel. */
export type StoredDeployment = Omit<Deployment, 'localUrl'>

interface DeploymentRow {
  id: string
  service: string
  deviceId: string
  device: string
  modelId: string
  model: string
  port: number
  preprocessing: string
  state: string
  createdAt: string
}

const columns = `
  select d.id, d.service, d.device_id as deviceId, v.name as device, d.model_id as modelId, m.name as model, d.port, d.preprocessing, d.state, d.created_at as createdAt
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

  /** Adds the service, or puts the new model in place of the old one of the same name on that device. */
  put(deployment: Omit<StoredDeployment, 'device' | 'model' | 'state'>): StoredDeployment {
    this.database
      .prepare(
        `insert into deployments (id, service, device_id, model_id, port, preprocessing, state, created_at) values (?, ?, ?, ?, ?, ?, 'running', ?)
         on conflict (device_id, service) do update set model_id = excluded.model_id, port = excluded.port, preprocessing = excluded.preprocessing, state = 'running', created_at = excluded.created_at`,
      )
      .run(
        deployment.id,
        deployment.service,
        deployment.deviceId,
        deployment.modelId,
        deployment.port,
        JSON.stringify(deployment.preprocessing),
        deployment.createdAt,
      )
    const id = this.database
      .prepare<[string, string], string>('select id from deployments where device_id = ? and service = ?')
      .pluck()
      .get(deployment.deviceId, deployment.service) as unknown as string
    return this.get(id)
  }

  setState(id: string, state: State): void {
    this.database.prepare('update deployments set state = ? where id = ?').run(state, id)
  }

  remove(id: string): void {
    this.database.prepare('delete from deployments where id = ?').run(id)
  }
}

function toDeployment(row: DeploymentRow): StoredDeployment {
  return {
    ...row,
    preprocessing: readJson(deploymentSchema.shape.preprocessing, row.preprocessing, `deployment ${row.id} preprocessing`),
    state: deploymentSchema.shape.state.parse(row.state),
  }
}
