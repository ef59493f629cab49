/** A cell that a spreadsheet would run: what starts like this is a formula to at least one of them. */
const formula = /^[=+\-@\t\r]/

/**
 * Rows as CSV after RFC 4180: lines end with CR LF, cells with commas, quotes or line ends are quoted. Numbers are written as they are;
 * text that begins like a formula gets an apostrophe before it, so that opening the file runs nothing (OWASP, "CSV Injection").
 */
export function csvText(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map(cellText).join(',')}\r\n`).join('')
}

function cellText(cell: string | number): string {
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : ''
  const safe = formula.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
