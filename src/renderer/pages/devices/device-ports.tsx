import type { Device } from '../../../contract/device.ts'
import { useCall } from '../../backend/use-call.ts'
import { Section } from '../../components/section.tsx'
import { PortTable } from '../../ports/port-table.tsx'

/** Ports of this computer that lead to one device. */
export function DevicePorts({ device }: { device: Pick<Device, 'id'> }) {
  const { data: forwards } = useCall('devices.forwards', {})
  const own = (forwards ?? []).filter(({ deviceId }) => deviceId === device.id)
  if (own.length === 0) {
    return (
      <Section title="Ports">
        <span className="es-dim">No port leads there. Connect, on the page of a deployment, opens one through SSH.</span>
      </Section>
    )
  }
  return (
    <Section title="Ports" aside="through SSH, for this computer only" flush>
      <PortTable forwards={own} />
    </Section>
  )
}
