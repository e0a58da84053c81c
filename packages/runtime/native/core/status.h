/* What a function of the C core answers: 0 or one of these; the core never aborts and never prints. */
#ifndef QUERN_STATUS_H
#define QUERN_STATUS_H

typedef enum quern_status {
  QUERN_OK = 0,
  QUERN_E_MEMORY,      /* an allocation was refused */
  QUERN_E_IO,          /* a system call failed; errno says how */
  QUERN_E_LOAD,        /* the dynamic loader refused a library; its text is returned */
  QUERN_E_ABI,         /* a library was built for another QUERN_ABI */
  QUERN_E_TABLE,       /* a library's table contradicts itself */
  QUERN_E_NOT_FOUND,   /* no entry of that name */
  QUERN_E_ISA,         /* the entry exists, but not for an instruction set that this CPU has */
  QUERN_E_ASSUMPTION,  /* a kernel refused its arguments */
  QUERN_E_CANCELLED    /* a plan was asked to stop */
} quern_status;

#endif
