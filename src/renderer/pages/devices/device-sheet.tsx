import { Button } from '@mantine/core'
import type { Device } from '../../../contract/device.ts'
import { Section } from '../../components/section.tsx'
import { DeviceChecks } from './device-checks.tsx'
import { BoardSection, MemorySection, ProcessorSection, SystemSection } from './sheet-sections.tsx'
import { ClusterTable, JetsonSection, PowerSection, ThermalSection } from './sheet-sensors.tsx'
import { TargetSection } from './target-section.tsx'

interface DeviceSheetProps {
  readonly device: Device
  readonly onProbe: () => void
  readonly probing: boolean
}

/** All the probe read: first whether the agent can run and which builds fit, then the machine in groups. */
export function DeviceSheet({ device, onProbe, probing }: DeviceSheetProps) {
  const { report } = device
  if (!report) {
    return (
      <Section title="Nothing known yet">
        <p className="es-dim">
          A probe reads the board, processor, memory, disk, temperature and whether the agent can run. It changes nothing.
        </p>
        <Button onClick={onProbe} loading={probing}>
          Probe now
        </Button>
      </Section>
    )
  }
  return (
    <>
      <DeviceChecks checks={report.checks} />
      <TargetSection report={report} />
      <BoardSection report={report} />
      <ProcessorSection report={report} />
      <ClusterTable clusters={report.clusters} />
      <ThermalSection report={report} />
      <PowerSection report={report} />
      <JetsonSection report={report} />
      <MemorySection report={report} />
      <SystemSection device={device} report={report} />
    </>
  )
}
