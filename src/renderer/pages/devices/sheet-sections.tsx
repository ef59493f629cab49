import { type Device, type DeviceReport, LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatExactMoment } from '../../format/moments.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { mhzText, saidText, yesText } from './report-text.ts'

interface SectionProps {
  readonly report: DeviceReport
}

/** What the machine is called. */
export function BoardSection({ report }: SectionProps) {
  return (
    <Section title="Board and chip" aside={`probed ${formatExactMoment(report.probedAt)}`}>
      <Facts
        facts={[
          { label: 'Board', value: report.board === null ? 'not named' : plainText(report.board, 120) },
          { label: 'System on chip', value: report.soc === null ? 'not named' : plainText(report.soc, 80) },
          { label: 'Machine', value: plainText(report.machine, 120) },
          { label: 'Architecture', value: `${plainText(report.architecture, 40)}, ${report.longBits}-bit system` },
        ]}
      />
    </Section>
  )
}

/** The processor as a whole; its groups of cores stand in a table of their own. */
export function ProcessorSection({ report }: SectionProps) {
  return (
    <Section title="Processor">
      <Facts
        facts={[
          { label: 'Name', value: plainText(report.cpu, 120) },
          { label: 'Cores', value: formatCount(report.cores) },
          { label: 'Highest clock', value: mhzText(report.maxClockMhz) },
          { label: 'Governor', value: saidText(report.governor, 40) },
          { label: 'Load', value: report.loadAverage === null ? 'not readable' : report.loadAverage.toFixed(2) },
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
  )
}

/** Memory and disk. */
export function MemorySection({ report }: SectionProps) {
  const { swapBytes } = report
  return (
    <Section title="Memory and disk">
      <Facts
        facts={[
          { label: 'Memory', value: formatBytes(report.memoryBytes) },
          { label: 'Available', value: formatBytes(report.availableMemoryBytes) },
          { label: 'Swap', value: swapBytes === null ? 'not readable' : swapBytes === 0 ? 'none' : formatBytes(swapBytes) },
          { label: 'Free disk', value: formatBytes(report.freeDiskBytes) },
          { label: 'Home', value: plainText(report.home, 200) },
        ]}
      />
    </Section>
  )
}

/** States of `systemctl is-system-running` in words; others are shown as they are. */
const systemdStates: ReadonlyMap<string, string> = new Map([
  ['degraded', 'running, some units failed (degraded)'],
  ['initializing', 'starting'],
  ['offline', 'not in charge (offline)'],
])

/** The system software and what it allows. */
export function SystemSection({ device, report }: SectionProps & { readonly device: Device }) {
  const { hasSystemd, systemdState } = report
  const systemd = systemdState === null ? 'there' : (systemdStates.get(systemdState) ?? plainText(systemdState, 40))
  return (
    <Section title="System">
      <Facts
        facts={[
          { label: 'System', value: plainText(report.system, 120) },
          { label: 'Kernel', value: plainText(report.kernel, 120) },
          { label: 'C library', value: saidText(report.glibc, 40) },
          { label: 'User land', value: `${report.longBits}-bit` },
          { label: 'systemd', value: hasSystemd ? systemd : 'none' },
          { label: 'Services outlive the log-in (linger)', value: yesText(report.linger, 'yes', 'no') },
          { label: 'sudo', value: saidText(report.sudo) },
          { label: 'Programs in home', value: report.homeNoexec ? 'may not run (noexec)' : 'may run' },
          { label: 'Programs in /tmp', value: yesText(report.tmpNoexec, 'may not run (noexec)', 'may run') },
          { label: 'Clock is off by', value: `${report.clockSkewSeconds.toFixed(1)} s` },
          ...(device.id === LOCAL_DEVICE_ID
            ? []
            : [{ label: 'Host key', value: <span className="es-mono">{device.hostKey ?? 'from known_hosts'}</span>, wide: true }]),
        ]}
      />
    </Section>
  )
}
