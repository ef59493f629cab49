import { Tooltip } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { Link, useLocation } from 'wouter'
import { useCall } from '../backend/use-call.ts'
import { useActiveJobs } from '../backend/use-jobs.ts'
import { BrandMark } from './brand-mark.tsx'
import classes from './navigation.module.css'
import { type AppSection, sections } from './sections.ts'

/** ⌘ on a Mac, Ctrl elsewhere. */
const modifier = navigator.userAgent.includes('Mac') ? '⌘' : 'Ctrl+'

/** How many things each page holds, and whether something of its kind is being made. */
function useCounts(): Record<AppSection['name'], { count: number | undefined; busy: boolean }> {
  const models = useCall('models.list', {})
  const datasets = useCall('datasets.list', {})
  const benchmarks = useCall('benchmarks.list', {})
  const comparisons = useCall('comparisons.list', {})
  const devices = useCall('devices.list', {})
  const deployments = useCall('deployments.list', {})
  const reports = useCall('reports.list', {})
  return {
    models: { count: models.data?.length, busy: false },
    datasets: { count: datasets.data?.length, busy: useActiveJobs('datasets.import').length > 0 },
    optimize: { count: undefined, busy: useActiveJobs('optimize.start').length > 0 },
    benchmarks: { count: benchmarks.data?.length, busy: useActiveJobs('bench.start').length > 0 },
    compare: { count: comparisons.data?.length, busy: useActiveJobs('compare.start').length > 0 },
    devices: { count: devices.data?.length, busy: useActiveJobs('devices.prepare').length > 0 },
    deployments: { count: deployments.data?.length, busy: useActiveJobs('deploy.start').length > 0 },
    reports: { count: reports.data?.length, busy: false },
  }
}

/** The pages on the left; only icons in a narrow window. */
export function Navigation() {
  const [location] = useLocation()
  const counts = useCounts()
  const narrow = useMediaQuery('(max-width: 1099px)', window.innerWidth < 1100, { getInitialValueInEffect: false })
  return (
    <nav className={classes.nav} aria-label="Pages">
      <div className={classes.brand}>
        <BrandMark />
        <span className={classes.name}>Edgesmith</span>
      </div>
      {sections.map(({ name, label, Icon }, index) => {
        const active = location === `/${name}` || location.startsWith(`/${name}/`)
        const { count, busy } = counts[name]
        const shortcut = `${modifier}${index + 1}`
        return (
          <Tooltip key={name} label={narrow ? `${label}  ${shortcut}` : shortcut} position="right" openDelay={narrow ? 100 : 700}>
            <Link
              href={`/${name}`}
              className={classes.item}
              aria-current={active ? 'page' : undefined}
              aria-keyshortcuts={`Control+${index + 1}`}
              data-testid={`nav-${name}`}
            >
              <Icon size={18} stroke={1.6} className={classes.icon} aria-hidden />
              <span className={classes.label}>{label}</span>
              {busy ? <span className={classes.busy} title="Working" /> : null}
              {count ? <span className={classes.count}>{count}</span> : null}
            </Link>
          </Tooltip>
        )
      })}
    </nav>
  )
}
