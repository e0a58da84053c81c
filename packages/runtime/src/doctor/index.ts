/** What is right and wrong with this machine, as data and as text. */
export { formatDevices, formatDoctor } from './format.ts';
export { doctorReport, type DoctorReport } from './report.ts';
