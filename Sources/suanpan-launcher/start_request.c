// A START as it came: lengths and strings.
#include <string.h>

#include "attempt.h"

bool start_request_read(const struct suanpan_start *order, size_t length, struct start_request *request) {
    // One entry a string, and each has at least its NUL; two terminators.
    static char *strings[SUANPAN_PACKET_BYTES_MAX + 2];
    if (length < sizeof *order) return false;
    size_t rest = length - sizeof *order;
    if (order->strings_bytes > rest || order->note_bytes > rest - order->strings_bytes) return false;
    if (order->header.detail > rest - order->strings_bytes - order->note_bytes) return false;
    if (order->note_bytes > SUANPAN_NOTE_BYTES_MAX || order->argument_count < 1) return false;
    if (order->header.detail > SUANPAN_PROCESSORS_BYTES_MAX) return false;
    if (order->argument_count > order->strings_bytes || order->environment_count > order->strings_bytes) return false;
    if (order->cpu_milli > SUANPAN_CPU_MILLI_MAX) return false;
    if (order->cpu_milli < 0 || order->memory_bytes < 0 || order->output_limit_bytes < 0) return false;

    char *text = (char *)(order + 1);
    char *end = text + order->strings_bytes;
    size_t wanted = 1 + (size_t)order->argument_count + order->environment_count;
    size_t place = 0;
    for (size_t count = 0; count < wanted; count++) {
        char *terminator = text < end ? memchr(text, 0, (size_t)(end - text)) : NULL;
        if (terminator == NULL) return false;
        if (count == 0) request->work_directory = text;
        else strings[place++] = text;
        if (count == order->argument_count) strings[place++] = NULL;
        text = terminator + 1;
    }
    strings[place] = NULL;
    request->order = order;
    request->arguments = strings;
    request->environment = strings + order->argument_count + 1;
    request->note = (const uint8_t *)end;
    request->processors = request->note + order->note_bytes;
    return text == end;
}
