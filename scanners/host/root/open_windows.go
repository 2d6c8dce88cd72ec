package root

const nonblock, noatime = 0, 0
