// How many launched hosts may come to nothing, for one build or for one pool in a row: another one would help nobody.

export const mostFailedLaunches = 3;
