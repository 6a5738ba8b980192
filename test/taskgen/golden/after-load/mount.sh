#!/bin/sh
buildah mount "$(buildah from --pull-never "$IMAGE")" >/shared/path
