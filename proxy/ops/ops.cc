// Nothing yet: the status page, metrics and control commands belong here (doc/architecture.md,
// "Layers").
