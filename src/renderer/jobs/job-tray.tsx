import { useHotkeys, useLocalStorage } from '@mantine/hooks'
import { IconChevronDown, IconChevronUp, IconListCheck } from '@tabler/icons-react'
import { isActive, useJobs } from '../backend/use-jobs.ts'
import { PortsNote } from '../ports/ports-note.tsx'
import { ColorSchemeControl } from '../theme/color-scheme-control.tsx'
import { JobPanel } from './job-panel.tsx'
import { JobSummary } from './job-summary.tsx'
import classes from './job-tray.module.css'
import { WorkspaceNote } from './workspace-note.tsx'

/** The bottom of the window: what runs now, all jobs when opened (Ctrl+J), and where the workspace is. */
export function JobTray() {
  const jobs = useJobs()
  const [open, setOpen] = useLocalStorage({ key: 'edgesmith.job-tray', defaultValue: false, getInitialValueInEffect: false })
  useHotkeys([['mod+J', () => setOpen((previous) => !previous)]], [])
  const active = (jobs.data ?? []).filter(isActive)
  const running = active.filter(({ state }) => state === 'running')
  const Chevron = open ? IconChevronDown : IconChevronUp
  return (
    <footer className={classes.tray} data-testid="job-tray" data-active={active.length}>
      {open ? <JobPanel query={jobs} /> : null}
      <div className={classes.bar}>
        <button
          type="button"
          className={classes.toggle}
          onClick={() => setOpen(!open)}
          aria-expanded={open}
          aria-keyshortcuts="Control+J"
          data-testid="job-tray-toggle"
        >
          <IconListCheck size={15} stroke={1.6} aria-hidden />
          Jobs
          {active.length > 0 ? <span className={classes.badge}>{active.length}</span> : null}
          <Chevron size={14} stroke={1.6} aria-hidden />
        </button>
        <JobSummary job={running[0] ?? active[0]} others={active.length - 1} />
        <PortsNote />
        <WorkspaceNote />
        <ColorSchemeControl />
      </div>
    </footer>
  )
}
