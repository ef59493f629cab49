import { z } from 'zod'

// The content security policy forbids `new Function`, which zod would otherwise try for every object schema.
// Imported first in the entry: schemas look at this setting when they are made.
z.config({ jitless: true })
