"""What numpy, scipy, statsmodels and pymannkendall say of series: src/statistics/series/recorded.txt.

    pip install numpy scipy statsmodels pymannkendall
    python tests/reference/series.py > src/statistics/series/recorded.txt
"""
import numpy as np, scipy, pymannkendall as mk, statsmodels, statsmodels.api as sm
from scipy.stats import theilslopes
rng=np.random.default_rng(7)
def row(*x): return ' '.join(f'{v!r}' if not isinstance(v,np.floating) else repr(float(v)) for v in x)
print(f"# numpy {np.__version__}, scipy {scipy.__version__}, pymannkendall {mk.__version__}, statsmodels {statsmodels.__version__}")
for case in range(8):
    n=[4,7,12,25,60,60,200,40][case]
    t=np.sort(rng.uniform(18,25,n)).round(4)
    if case==5: t=np.sort(t.round(0))
    y=(3+0.8*(t-20)+1.5*np.cos(2*np.pi*(t-0.2))+0.4*np.sin(4*np.pi*t)+rng.normal(0,.7,n))
    y=y.round(1 if case in(3,5) else 5)
    print('times',*map(repr,t.tolist())); print('values',*map(repr,y.tolist()))
    m=mk.original_test(y)
    print('mann_kendall',row(float(m.Tau),float(m.z),float(m.p)))
    th=theilslopes(y,t,0.95)
    print('theil_sen',row(*(float(v) for v in (th[0],th[1],th[2],th[3]))))
    if n>=12 and case!=5:
        X=np.column_stack([np.ones(n),t-t.min()]+[f(2*np.pi*t/p) for p in(1,.5) for f in(np.cos,np.sin)])
        r=sm.OLS(y,X).fit(); C=r.cov_params(); b=r.params
        out=[b[0],r.bse[0],b[1],r.bse[1]]
        for k,p in((2,1),(4,.5)):
            c,s=b[k],b[k+1]; A=np.hypot(c,s)
            g=np.array([c/A,s/A]); V=C[k:k+2,k:k+2]
            h=np.array([-s/A**2,c/A**2])
            out+=[A,np.sqrt(g@V@g),(np.arctan2(s,c)*p/(2*np.pi))%p,np.sqrt(h@V@h)*p/(2*np.pi)]
        out+=[np.sqrt(np.mean(r.resid**2))]
        print('harmonics',*map(lambda v:repr(float(v)),out))
