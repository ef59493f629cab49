import './zod-without-eval.ts'
import '@mantine/core/styles.css'
import '@mantine/charts/styles.css'
import '@mantine/dropzone/styles.css'
import '@mantine/notifications/styles.css'
import './theme/global.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Router } from 'wouter'
import { useHashLocation } from 'wouter/use-hash-location'
import { AppShell } from './app/app-shell.tsx'
import { BackendStateProvider } from './backend/backend-state.tsx'
import { makeQueryClient } from './backend/query-client.ts'
import { publishStyleNonce, styleNonce } from './theme/style-nonce.ts'
import { theme } from './theme/theme.ts'

publishStyleNonce()

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => styleNonce() ?? ''}>
      <QueryClientProvider client={makeQueryClient()}>
        <BackendStateProvider>
          <Router hook={useHashLocation}>
            <AppShell />
          </Router>
        </BackendStateProvider>
      </QueryClientProvider>
      <Notifications position="bottom-left" limit={4} containerWidth={400} />
    </MantineProvider>
  </StrictMode>,
)
