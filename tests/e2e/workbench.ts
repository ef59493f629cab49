import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ElectronApplication, _electron as electron, expect, type Page } from '@playwright/test'
import Database from 'better-sqlite3'
import { electronFlags } from '../../scripts/setup/electron-flags.mjs'

/** The real application on a workspace of its own. */
export interface Workbench {
  readonly app: ElectronApplication
  readonly page: Page
  /** Workspace folder. */
  readonly workspace: string
  /** Errors the page wrote to its console, content security policy breaches included. */
  readonly consoleErrors: string[]
  /** Reads the workspace's database. */
  query<T>(sql: string, ...values: unknown[]): T[]
  close(): Promise<void>
}

/** Starts the built application as `npm start` does. */
export async function openWorkbench(): Promise<Workbench> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-e2e-'))
  const workspace = join(folder, 'workspace')
  const app = await electron.launch({
    args: ['.', ...electronFlags(), `--user-data-dir=${join(folder, 'user')}`],
    cwd: join(import.meta.dirname, '../..'),
    env: { ...(process.env as Record<string, string>), EDGESMITH_WORKSPACE: workspace },
  })
  const page = await app.firstWindow()
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(1360, 880))
  const consoleErrors: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') consoleErrors.push(message.text())
  })
  page.on('pageerror', (error) => consoleErrors.push(error.message))
  // A busy machine takes its time to start a window and the backend.
  await expect(page.getByTestId('nav-models')).toBeVisible({ timeout: 60_000 })
  return {
    app,
    page,
    workspace,
    consoleErrors,
    query<T>(sql: string, ...values: unknown[]) {
      const database = new Database(join(workspace, 'workspace.sqlite'), { readonly: true })
      try {
        return database.prepare(sql).all(...values) as T[]
      } finally {
        database.close()
      }
    },
    async close() {
      const ended = new Promise((resolve) => app.process().once('exit', resolve))
      await app.evaluate(({ app: electronApp }) => electronApp.quit())
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Section = 'models' | 'datasets' | 'optimize' | 'benchmarks' | 'compare' | 'devices' | 'deployments' | 'reports'

/** Goes to a page by its navigation entry. */
export async function goTo(page: Page, section: Section): Promise<void> {
  await page.getByTestId(`nav-${section}`).click()
}

/** Chooses an option of a select by the text it starts with. */
export async function choose(page: Page, testId: string, option: string | RegExp): Promise<void> {
  await page.getByTestId(testId).click()
  await page.getByRole('option', { name: option }).first().click()
}

/** Makes the next file dialogs answer with a path, as if the user had chosen it. */
export async function answerDialogs(app: ElectronApplication, path: string): Promise<void> {
  await app.evaluate(({ dialog }, chosen) => {
    dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [chosen] })
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath: chosen })
  }, path)
}
