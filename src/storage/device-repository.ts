import { type Device, type DeviceReport, deviceSchema, LOCAL_DEVICE_ID, LOCAL_DEVICE_NAME } from '../contract/device.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readOptionalJson } from './json-column.ts'

interface DeviceRow {
  id: string
  name: string
  connection: string | null
  host_key: string | null
  report: string | null
  agent_version: string | null
  created_at: string
}

/** Devices; the row of this computer is made on first use. */
export class DeviceRepository {
  private readonly database: WorkspaceDatabase

  constructor(database: WorkspaceDatabase) {
    this.database = database
  }

  /** Adds the row of this computer when the workspace is new. */
  ensureLocal(createdAt: string): void {
    this.database
      .prepare('insert or ignore into devices (id, name, created_at) values (?, ?, ?)')
      .run(LOCAL_DEVICE_ID, LOCAL_DEVICE_NAME, createdAt)
  }

  /** This computer first, then by name. */
  list(): Device[] {
    return this.database.prepare<[string], DeviceRow>('select * from devices order by id <> ?, name').all(LOCAL_DEVICE_ID).map(toDevice)
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  get(id: string): Device {
    const row = this.database.prepare<[string], DeviceRow>('select * from devices where id = ?').get(id)
    if (!row) throw new EdgesmithError('NOT_FOUND', `There is no device ${id}`)
    return toDevice(row)
  }

  /** @throws EdgesmithError `NAME_TAKEN` */
  assertNameFree(name: string): void {
    if (this.database.prepare('select 1 from devices where name = ?').get(name)) {
      throw new EdgesmithError('NAME_TAKEN', `There is already a device called "${name}"`, {
        hint: name === LOCAL_DEVICE_NAME ? 'Choose another name.' : 'Choose another name, or remove that device first.',
      })
    }
  }

  add(device: Device): Device {
    this.assertNameFree(device.name)
    this.database
      .prepare('insert into devices (id, name, connection, host_key, report, agent_version, created_at) values (?, ?, ?, ?, ?, ?, ?)')
      .run(
        device.id,
        device.name,
        device.connection && JSON.stringify(device.connection),
        device.hostKey,
        device.report && JSON.stringify(device.report),
        device.agentVersion,
        device.createdAt,
      )
    return this.get(device.id)
  }

  setReport(id: string, report: DeviceReport): void {
    this.database.prepare('update devices set report = ? where id = ?').run(JSON.stringify(report), id)
  }

  setAgentVersion(id: string, version: string | null): void {
    this.database.prepare('update devices set agent_version = ? where id = ?').run(version, id)
  }

  /** Removes the device and its deployments; measurements made there are kept. */
  remove(id: string): void {
    this.database.transaction(() => {
      this.database.prepare('delete from deployments where device_id = ?').run(id)
      this.database.prepare('delete from devices where id = ?').run(id)
    })()
  }
}

function toDevice(row: DeviceRow): Device {
  const where = `device ${row.id}`
  return {
    id: row.id,
    name: row.name,
    connection: readOptionalJson(deviceSchema.shape.connection.unwrap(), row.connection, `${where} connection`),
    hostKey: row.host_key,
    report: readOptionalJson(deviceSchema.shape.report.unwrap(), row.report, `${where} report`),
    agentVersion: row.agent_version,
    createdAt: row.created_at,
  }
}
