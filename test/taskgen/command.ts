// The command as people run it, and the smallest Task to give it.
import { fileURLToPath } from 'node:url';

export const main = fileURLToPath(new URL('../../taskgen/main.ts', import.meta.url));

export const source = (name: string): string => `apiVersion: tekton.dev/v1
kind: Task
metadata:
  name: ${name}
spec:
  steps:
    - name: build
      image: docker.io/library/alpine:3.20
      script: |
        echo hello
`;
