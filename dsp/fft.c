/* FFT plans that do not vary from start to start. */
#include "private.h"

#include "wisdom.h"

fftwf_plan
dsp_fft_plan(uint32_t m, float *in, float *out)
{
    fftwf_complex *i = (fftwf_complex *)(void *)in, *o = (fftwf_complex *)(void *)out;
    /* FFTW refuses wisdom of another version or build; then its estimate has to do,
     * which is up to twice as slow but just as repeatable. Measuring would not be. */
    for (size_t w = 0; w < sizeof fft_wisdom / sizeof *fft_wisdom; w++)
        fftwf_import_wisdom_from_string(fft_wisdom[w]);
    fftwf_plan plan =
        fftwf_plan_dft_1d((int)m, i, o, FFTW_FORWARD, FFTW_PATIENT | FFTW_WISDOM_ONLY);
    return plan ? plan : fftwf_plan_dft_1d((int)m, i, o, FFTW_FORWARD, FFTW_ESTIMATE);
}
