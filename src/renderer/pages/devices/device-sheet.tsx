import { Button } from '@mantine/core'
import { type Device, LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatExactMoment } from '../../format/moments.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { targetGuides } from '../../text/target-guide.ts'
import { DeviceChecks } from './device-checks.tsx'
import { throttleText } from './throttle-text.ts'

interface DeviceSheetProps {
  readonly device: Device
  readonly onProbe: () => void
  readonly probing: boolean
}

/** All the probe read, in groups. */
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
  const readable = (value: string | null): string => (value === null ? 'not readable' : plainText(value, 200))
  return (
    <>
      <DeviceChecks checks={report.checks} />
      <Section title="Machine" aside={`probed ${formatExactMoment(report.probedAt)}`}>
        <Facts
          facts={[
            { label: 'Board', value: report.board === null ? 'not named' : plainText(report.board, 120) },
            { label: 'Machine', value: plainText(report.machine, 120) },
            { label: 'Architecture', value: `${plainText(report.architecture, 40)}, ${report.longBits}-bit system` },
            { label: 'Target', value: report.target ? `${targetGuides[report.target].title} (${report.target})` : 'none fits' },
            ...(report.jetson === null ? [] : [{ label: 'Jetson', value: plainText(report.jetson, 120) }]),
            ...(report.throttled === null ? [] : [{ label: 'Throttling', value: throttleText(report.throttled) }]),
          ]}
        />
      </Section>
      <Section title="Processor">
        <Facts
          facts={[
            { label: 'Name', value: plainText(report.cpu, 120) },
            { label: 'Cores', value: formatCount(report.cores) },
            { label: 'Highest clock', value: report.maxClockMhz === null ? 'not readable' : `${formatCount(report.maxClockMhz)} MHz` },
            { label: 'Governor', value: readable(report.governor) },
            { label: 'Load', value: report.loadAverage === null ? 'not readable' : report.loadAverage.toFixed(2) },
            { label: 'Temperature', value: report.temperatureC === null ? 'not readable' : `${report.temperatureC.toFixed(1)} °C` },
            {
              label: 'Features',
              value:
                report.cpuFeatures.length > 0 ? (
                  <span className="es-mono">{plainText(report.cpuFeatures.join(' '), 1200)}</span>
                ) : (
                  'none listed'
                ),
              wide: true,
            },
          ]}
        />
      </Section>
      <Section title="Memory and disk">
        <Facts
          facts={[
            { label: 'Memory', value: formatBytes(report.memoryBytes) },
            { label: 'Available', value: formatBytes(report.availableMemoryBytes) },
            { label: 'Free disk', value: formatBytes(report.freeDiskBytes) },
            { label: 'Home', value: plainText(report.home, 200) },
            { label: 'Programs in home', value: report.homeNoexec ? 'may not run (noexec)' : 'may run' },
          ]}
        />
      </Section>
      <Section title="System">
        <Facts
          facts={[
            { label: 'System', value: plainText(report.system, 120) },
            { label: 'Kernel', value: plainText(report.kernel, 120) },
            { label: 'C library (glibc)', value: readable(report.glibc) },
            { label: 'systemd', value: report.hasSystemd ? 'yes' : 'no' },
            { label: 'Clock is off by', value: `${report.clockSkewSeconds.toFixed(1)} s` },
            ...(device.id === LOCAL_DEVICE_ID
              ? []
              : [{ label: 'Host key', value: <span className="es-mono">{device.hostKey ?? 'from known_hosts'}</span>, wide: true }]),
          ]}
        />
      </Section>
    </>
  )
}
