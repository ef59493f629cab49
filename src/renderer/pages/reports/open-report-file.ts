import { bridge } from '../../backend/bridge.ts'
import { notifyError } from '../../components/notify.tsx'

/** Opens a report's file with the system's program for it. */
export async function openReportFile(path: string): Promise<void> {
  try {
    await bridge().openFile(path)
  } catch (error) {
    notifyError(error, 'The file was not opened')
  }
}
