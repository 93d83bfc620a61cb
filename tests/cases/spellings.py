"""Calls in every spelling that NumPy permits, to be compared with NumPy; `;` stands between two.

The letters are arrays: see `tests/test_spellings.py`, which makes further ones from templates.
"""

# functions of NumPy's main room
FUNCTIONS = r"""
np.arccosh(x+1) ; np.sinc(x) ; np.sinc(x=x) ; np.round(x) ; np.round(x,2) ;
np.round(x,decimals=1) ; np.round(a=x) ; np.round(x,out=None) ; np.around(x,1) ; np.fix(x) ;
np.nan_to_num(x) ; np.nan_to_num(x,True,1.,2.,3.) ; np.nan_to_num(x,copy=False) ;
np.nan_to_num(x=x) ; np.clip(x,.5,1) ; np.clip(x,None,1) ; np.clip(x,.5,None) ;
np.clip(x,min=.5) ; np.clip(x,max=1.) ; np.clip(x,a_min=.5,a_max=1.) ;
np.clip(a=x,a_min=r/2,a_max=r) ; np.clip(x,.5,1,None) ; np.clip(x,.5,1.,dtype=f32) ;
np.clip(x,.5,1,casting='same_kind') ; np.clip(x) ; np.clip(x,.5,1.,where=True) ;
np.where(x>1,x,y) ; np.where(mask,x,0.) ; np.where(mask,1.,x) ; np.where(x>1) ;
np.where(mask,r,x) ; np.where([True,False,True,False],x,y) ; np.copysign(x,-1.) ;
np.heaviside(p,w) ; np.heaviside(p,.5) ; np.modf(x) ; np.ldexp(x,2) ; np.average(x) ;
np.average(x,1) ; np.average(x,(0,1)) ; np.average(x,keepdims=True) ; np.average(x,weights=y) ;
np.average(x,axis=-1,weights=r) ; np.average(x,axis=1,weights=[1,2,3]) ;
np.average(x,axis=(0,2),weights=y[:,0],keepdims=True) ; np.average(x,returned=True) ;
np.average(x,2,r,True) ; np.average(x,2,r,returned=True,keepdims=True) ;
np.average(a=v,weights=w,axis=0) ; np.average(x,axis=-1,weights=[1,2,3,4],returned=True) ;
np.average(x,1,returned=True) ; np.average(x>1) ; np.average(x>1,axis=0,weights=u[:2]) ;
np.add.accumulate(x) ; np.add.accumulate(x,1) ; np.add.accumulate(x,axis=-1,dtype=f32) ;
np.add.accumulate(x,1,None,None) ; np.add.accumulate(x,out=None) ; np.multiply.accumulate(x) ;
np.multiply.accumulate(x,axis=2) ; np.multiply.accumulate(v) ; np.maximum.accumulate(x) ;
np.maximum.accumulate(x,1) ; np.minimum.accumulate(x,-1) ; np.logaddexp.accumulate(v) ;
np.logaddexp.reduce(x) ; np.logaddexp.reduce(x,axis=1) ;
np.logaddexp.reduce(x,axis=(0,1),keepdims=True) ; np.hypot.reduce(x) ; np.hypot.reduce(x,-1) ;
np.add.reduce(x) ; np.add.reduce(x,1) ; np.add.reduce(x,axis=None) ;
np.add.reduce(x,(0,1),None,None,True) ; np.add.reduce(x,1,f32) ;
np.add.reduce(x,axis=1,initial=2,where=mask) ; np.multiply.reduce(x,None) ;
np.maximum.reduce(x,axis=(0,2)) ; np.maximum.reduce(x,1,None,None,True) ;
np.maximum.reduce(x,axis=1,dtype=None,out=None,keepdims=True) ;
np.minimum.reduce(x,axis=0,initial=1.,where=mask) ; np.add.reduce(array=x) ;
np.fmax.reduce(x,1) ; np.fmin.reduce(x,1) ; np.logical_and.reduce(x>1) ;
np.logical_or.reduce(x>1,axis=1) ; np.logical_xor.reduce(x>1) ; np.bitwise_or.reduce(x>1) ;
np.maximum.reduce(x,initial=None) ; np.add.reduce(x,initial=None) ;
np.maximum.reduce(x,dtype=f32) ; np.diff(x) ; np.diff(x,2) ; np.diff(x,n=1,axis=0) ;
np.diff(x,1,1,1.,2.) ; np.diff(x,axis=0,prepend=y[:1]) ; np.diff(x,append=0) ; np.diff(a=v) ;
np.diff(v,7) ; np.diff(x,0) ; np.ediff1d(x) ; np.ediff1d(v,1,[2,3]) ; np.trapezoid(x) ;
np.trapezoid(x,dx=.5) ; np.trapezoid(x,y) ; np.trapezoid(x,np.sort(r)) ;
np.trapezoid(x,[0,1,3],axis=1) ; np.trapezoid(x,None,.3,0) ; np.trapezoid(y=x,x=y,axis=-2) ;
np.cumulative_sum(v) ; np.cumulative_sum(x,axis=1,include_initial=True) ;
np.cumulative_prod(x,axis=-1,dtype=g) ; np.gradient(v) ; np.gradient(x) ; np.gradient(x,axis=1) ;
np.gradient(x,2.,axis=(0,1)) ; np.interp(s,[0,1.,2],u) ; np.argsort(x) ; np.argsort(x,0) ;
np.argsort(x,axis=None) ; np.argsort(x,kind='stable') ; np.argsort(x,-1,None,None) ;
np.argsort(x,stable=True) ; np.count_nonzero(x>1,axis=1) ; np.count_nonzero(x>1) ;
np.count_nonzero(x,axis=(0,1),keepdims=True) ; np.argwhere(x>1) ; np.flatnonzero(x>1) ;
np.nonzero(x>1) ; np.searchsorted([0,1.,2],x) ; np.searchsorted(np.sort(v),[.5,1]) ;
np.searchsorted(np.sort(v),s,'right') ; np.searchsorted(np.sort(v),s,side='left',sorter=None) ;
np.digitize(x,[0,1,2]) ; np.lexsort((v,w)) ; np.argpartition(v,2) ;
np.isclose(x,y,rtol=.1,atol=0,equal_nan=True) ; np.allclose(x,y,1.) ; np.array_equal(x,y) ;
np.reshape(x,(4,6)) ; np.reshape(x,-1) ; np.reshape(x,(4,-1),'F') ;
np.reshape(x,shape=(6,4),order='A') ; np.reshape(x,(4,6),copy=True) ;
np.reshape(a=x,shape=(4,6)) ; np.reshape(s,()) ; np.ravel(x) ; np.ravel(x,'F') ;
np.ravel(a=x,order='K') ; np.transpose(x) ; np.transpose(x,(1,0,2)) ; np.transpose(x,[1,0,2]) ;
np.transpose(x,axes=(-1,0,1)) ; np.permute_dims(x,(2,0,1)) ; np.matrix_transpose(x) ;
np.swapaxes(x,0,-1) ; np.swapaxes(x,axis1=0,axis2=1) ; np.moveaxis(x,0,-1) ;
np.moveaxis(x,[0,1],[-1,-2]) ; np.moveaxis(x,source=0,destination=2) ; np.rollaxis(x,2) ;
np.rollaxis(x,2,1) ; np.rollaxis(x,axis=0,start=3) ; np.expand_dims(x,0) ;
np.expand_dims(x,(0,-1)) ; np.expand_dims(x,axis=-1) ; np.squeeze(z) ; np.squeeze(z,0) ;
np.squeeze(z,axis=(0,2)) ; np.squeeze(z,(0,-1)) ; np.broadcast_to(r,(2,3,4)) ;
np.broadcast_to(s,(2,)) ; np.broadcast_to(s,3) ; np.broadcast_to(r,shape=(3,4),subok=False) ;
np.broadcast_to(r,[3,4]) ; np.broadcast_to(z,(4,3,2),subok=True) ; np.broadcast_arrays(x,r,c) ;
np.broadcast_arrays(x,1.) ; np.broadcast_arrays(r,subok=True) ;
np.broadcast_arrays(r,c,subok=False) ; np.atleast_1d(s,v) ; np.atleast_2d(s,v,x) ;
np.atleast_3d(s,v,b) ; np.atleast_2d(1.,v) ; np.atleast_1d() ; np.concatenate([x,y]) ;
np.concatenate((x,y),1) ; np.concatenate([x,y],axis=None) ;
np.concatenate([x,y],axis=-1,out=None) ; np.concatenate([x,y],dtype=f32) ;
np.concatenate([x,y],dtype=f32,casting='same_kind') ; np.concatenate([x,np.ones((2,3,1))],-1) ;
np.concat([x,y]) ; np.concatenate(x) ; np.concatenate([v,[1,2]]) ;
np.concatenate([v,[1.]],dtype=g) ; np.concatenate([v]) ; np.stack([x,y]) ; np.stack([x,y],1) ;
np.stack((x,y),axis=-1) ; np.stack(arrays=[x,y],axis=2) ; np.stack([s,1.,2]) ;
np.stack([x,y],dtype=f32) ; np.stack([x,y],0,None) ; np.stack(x) ;
np.stack([x,y],axis=0,casting='same_kind',dtype=g) ; np.vstack([r,b]) ; np.vstack((v,w)) ;
np.vstack(tup=[v,w]) ; np.vstack([v,w],dtype=f32) ; np.vstack([s,1.]) ; np.vstack(x) ;
np.hstack([v,w]) ; np.hstack([b,c]) ; np.hstack([s,s]) ; np.hstack(tup=(v,[1.])) ;
np.hstack([v,w],dtype=g,casting='safe') ; np.hstack(x) ; np.dstack([v,w]) ; np.dstack([b,b]) ;
np.dstack(tup=(x,y)) ; np.column_stack([v,w]) ; np.column_stack((u,m)) ;
np.column_stack(tup=[v,w]) ; np.vstack([v,w]) ; np.block([[m,c],[u,1.]]) ; np.block([v,w]) ;
np.block(v) ; np.block([[x],[y]]) ; np.split(x,3,1) ; np.split(v,[2,3]) ; np.split(x,2,axis=-1) ;
np.split(ary=v,indices_or_sections=[1]) ; np.split(v,[3,1]) ; np.split(v,[-2]) ;
np.split(v,np.array([2,9])) ; np.array_split(v,3) ; np.array_split(x,3,2) ; np.array_split(v,7) ;
np.array_split(v,[1,-1]) ; np.array_split(v,np.int64(2)) ; np.hsplit(v,[2]) ; np.hsplit(x,3) ;
np.vsplit(b,3) ; np.vsplit(x,[1]) ; np.dsplit(x,2) ; np.split(v,(1,2)) ; np.split(v,[]) ;
np.split(v,5) ; np.unstack(x) ; np.unstack(x,axis=-1) ; np.tile(v,2) ; np.tile(v,(2,1,3)) ;
np.tile(x,(2,1)) ; np.tile(A=b,reps=[2,2]) ; np.tile(s,3) ; np.tile(v,0) ; np.tile(v,()) ;
np.tile(v,np.array([2,2])) ; np.repeat(v,2) ; np.repeat(x,2,1) ; np.repeat(x,[1,0,2],axis=1) ;
np.repeat(s,3) ; np.repeat(x,2,axis=-1) ; np.repeat(a=x,repeats=3) ; np.repeat(v,np.array([2])) ;
np.repeat(v,0) ; np.flip(x) ; np.flip(x,0) ; np.flip(x,axis=(0,-1)) ; np.flip(m=x,axis=1) ;
np.fliplr(x) ; np.flipud(x) ; np.roll(x,1) ; np.roll(x,-1,1) ; np.roll(x,(1,2),(0,1)) ;
np.roll(x,1,(0,1)) ; np.roll(x,shift=[1,2],axis=[0,2]) ; np.roll(a=x,shift=2,axis=-1) ;
np.roll(x,(1,2),1) ; np.roll(x,(1,2),axis=(1,1)) ; np.roll(x,25) ; np.rot90(b) ; np.rot90(b,2) ;
np.rot90(b,-1) ; np.rot90(x,1,(1,2)) ; np.rot90(x,k=3,axes=(0,-1)) ; np.rot90(b,0) ;
np.rot90(b,4) ; np.rot90(m=b,axes=(1,0)) ; np.diag(v) ; np.diag(m) ; np.diag(b,1) ;
np.diag(v,k=-2) ; np.diag(v=m,k=-1) ; np.diag(b,-5) ; np.diagonal(m) ; np.diagonal(x,1,0,2) ;
np.diagonal(x,offset=-1,axis1=1,axis2=2) ; np.diagonal(a=x) ; np.diagflat(b) ; np.diagflat(v,1) ;
np.diagflat(s) ; np.tril(m) ; np.tril(x,1) ; np.tril(m=x,k=-1) ; np.triu(m,k=1) ; np.triu(x) ;
np.tril(v) ; np.triu(v,1) ; np.trace(m) ; np.trace(x,1,1,2) ;
np.trace(x,offset=-1,axis1=0,axis2=2) ; np.trace(m,dtype=f32) ; np.trace(m,0,0,1,None,None) ;
np.append(v,w) ; np.append(x,y,1) ; np.append(v,1.) ; np.append(arr=x,values=y,axis=0) ;
np.append([1.,2],v) ; np.append(x,v) ; np.meshgrid(v,u) ; np.meshgrid(v,u,indexing='ij') ;
np.meshgrid(v,u,r,sparse=True) ; np.meshgrid(v,[1,2],copy=False) ; np.meshgrid(s,v) ;
np.meshgrid(v) ; np.meshgrid(b,v) ; np.copy(x) ; np.copy(x,'F') ; np.copy(a=x,order='C') ;
np.copy(x,'K',False) ; np.copy(x,subok=True) ; np.astype(x,f32) ;
np.astype(x,np.float64,copy=False) ; np.astype(x,f32,device='cpu') ; np.zeros_like(x) ;
np.ones_like(x,dtype=int) ; np.zeros_like(x,shape=(2,)) ; np.full_like(x,3.) ;
np.full_like(x,3,int) ; np.ones_like(x,f32,'C',True,(3,)) ; np.zeros_like(a=x) ;
np.full_like(a=x,fill_value=2) ; np.insert(v,1,9.) ; np.insert(x,[0,1],y[:,:2],axis=1) ;
np.insert(v,[1,3],w[:2]) ; np.insert(v,slice(0,3),1) ; np.insert(x,1,r,1) ; np.delete(v,1) ;
np.delete(x,[0,2],1) ; np.delete(x,slice(0,2),axis=-1) ; np.delete(v,-1) ; np.resize(v,(2,4)) ;
np.resize(v,3) ; np.resize(x,(3,3)) ; np.apply_along_axis(np.sum,1,x) ;
np.apply_over_axes(np.sum,x,[0,2]) ; np.ix_([0,1],[2])[0] ; np.take(v,[0,0,1]) ; np.take(x,2) ;
np.take(x,[0,2],1) ; np.take(x,[[0,2],[1,1]],axis=-1) ; np.take(x,5,mode='wrap') ;
np.take(v,[-9,9],mode='clip') ; np.take(v,[-9,9],0,None,'wrap') ;
np.take(a=x,indices=[1],axis=0) ; np.take(x,np.argsort(v)[:2]) ; np.take(v,i) ;
np.take_along_axis(x,np.argsort(x,1),1) ;
np.take_along_axis(x,np.argmax(x,axis=-1,keepdims=True),axis=-1) ;
np.take_along_axis(x,np.argmax(x,axis=-1)[...,None],-1) ; np.take_along_axis(v,i,None) ;
np.take_along_axis(arr=x,indices=np.zeros((1,3,4),int),axis=0) ; np.take_along_axis(v,i) ;
np.compress([True,False,True],v) ; np.compress([0,1],x,1) ;
np.compress(condition=[0,1,1],a=x,axis=1) ; np.compress(v>1,v) ; np.extract(x>1,x) ;
np.extract(condition=mask,arr=x) ; np.extract([1,0,1,0,1],v) ; np.select([x>1,x>.5],[x,y],3.) ;
np.select([mask,x>1],[x**2,x],default=y) ; np.select([x>1],[x]) ;
np.select(condlist=[mask],choicelist=[r]) ; np.choose(i,[r,r*2,1.]) ; np.choose([0,1,1],[u,u2]) ;
np.choose([0,3],[r[:2],1.],mode='wrap') ; np.choose(a=i,choices=[r,r,r],out=None,mode='clip') ;
np.choose((v>1).astype(int),[v,w]) ; np.sort(x) ; np.sort(x,0) ; np.sort(x,axis=None) ;
np.sort(x,-1,'stable') ; np.sort(x,kind='heapsort') ; np.sort(x,stable=True) ;
np.sort(a=x,axis=1) ; np.sort(x,-1,None,None) ; np.partition(v,2) ; np.partition(x,[1,2]) ;
np.partition(x,1,0) ; np.partition(x,kth=1,axis=-1) ; np.partition(x,5,None) ;
np.piecewise(v,[v<1,v>=1],[lambda a:a**2,lambda a:-a]) ; np.piecewise(v,[v<1],[1.,2.]) ;
np.matmul(x,x.mT) ; np.matmul(k,u) ; np.matmul(u,k) ; np.matmul(m,n,axes=[(0,1),(0,1),(0,1)]) ;
np.matmul(m,n,axes=[(1,0),(0,1),(1,0)]) ; np.matmul(x,x,axes=[(0,1),(1,0),(0,1)]) ;
np.matmul(k,u,axes=[(0,1),0,0]) ; np.matmul(u,k,axes=[(0,),(0,1),(1,)]) ;
np.matmul(m,n,dtype=f32) ; np.matmul(m,n,casting='same_kind',order='K',subok=True) ;
np.ones(3)@m ; np.dot(s,v) ; np.dot(2.,v) ; np.dot(k,k) ; np.dot(a=m,b=n) ; np.vecdot(v,w) ;
np.vecdot(x,y) ; np.vecdot(x,y,axis=0) ; np.vecdot(x,y,axis=1) ; np.vecdot(x,r) ;
np.vecdot(x,y,axes=[0,0]) ; np.vecdot(x,y,axes=[0,0,()]) ; np.matvec(m,u) ; np.matvec(k,u) ;
np.matvec(k,k) ; np.vecmat(u,m) ; np.vecmat(u,k) ; np.matvec(k,u,axes=[(0,1),0,0]) ;
np.vecmat(u,k,axes=[0,(0,1),0]) ; np.matvec(m,u,dtype=g) ; np.vecdot(x,y,dtype=f32) ;
np.vecdot(x,y,keepdims=True) ; np.inner(v,w) ; np.inner(x,b) ; np.inner(s,v) ; np.inner(2.,v) ;
np.inner(m,u) ; np.outer(v,u) ; np.outer(b,v) ; np.outer(a=v,b=u,out=None) ; np.outer(s,[1,2.]) ;
np.vdot(v,w) ; np.vdot(b,b*2) ; np.vdot(s,s) ; np.tensordot(x,y) ; np.tensordot(m,n,1) ;
np.tensordot(m,n,0) ; np.tensordot(x,y,axes=([0,1],[0,1])) ; np.tensordot(x,y,((0,-1),(0,-1))) ;
np.tensordot(x,b,axes=[1,0]) ; np.tensordot(a=x,b=y,axes=3) ; np.tensordot(x,y,([1],[1])) ;
np.kron(m,n) ; np.kron(v,b) ; np.kron(s,v) ; np.kron(a=x,b=b) ; np.kron([1,2.],v) ;
np.cross(u,u2) ; np.cross(k,u) ; np.cross(x,y,axis=1) ; np.cross(u,[1,2,3.]) ; np.cross(t,t*t) ;
np.cross(x,x*x,1,1,0) ; np.real(x) ; np.imag(x) ; np.shape(x) ; np.size(x,1) ;
np.size(x,axis=0) ; np.ndim(x) ; np.size(x,(0,1)) ; np.cov(b) ; np.cov(m=b,rowvar=False,ddof=0) ;
np.convolve(v,u) ; np.convolve(v,u,mode='same') ; np.correlate(v,u,'full') ; np.vander(v) ;
np.vander(v,3,True) ; np.polyval([1,2,3],v) ; np.polyval(u,v) ; np.interp(v,[0,1,2],[1.,2,4]) ;
np.unwrap(v) ; np.bincount([0,1,1,2,0],v) ; np.bincount([0,1,1,2,0],weights=v,minlength=5) ;
np.fmod(x,-.3) ; np.remainder(x,-.3)
"""

# methods, attributes and operators
METHODS = r"""
x.round() ; x.round(2) ; x.round(decimals=1) ; x.clip(.5,1) ; x.clip(min=.5) ; x.clip(max=.5) ;
x.clip(.5) ; divmod(x,y) ; x//y ; x%y ; 2.//x ; 2.%x ; divmod(2.,x) ; abs(p) ; -x ; +x ; x**2 ;
x**y ; 2**x ; x@t ; ~(x>1) ; (x>1)&(y>1) ; (x>1)|(y>1) ; (x>1)^(y>1) ; pow(x,2) ; (x>1)<<1 ;
1<<(x>1) ; (x>1)>>1 ; x.var(1,ddof=1) ; x.std(ddof=1,axis=0) ; x.mean(1,f32) ; x.sum(1,f32) ;
x.std(0,None,None,1) ; x.var(mean=1.) ; x.argmax(1) ; x.argmin(axis=0,keepdims=True) ;
x.argsort() ; x.argsort(0) ; x.nonzero() ; v.argpartition(2) ; x.reshape(4,6) ;
x.reshape((4,6)) ; x.reshape(-1) ; x.reshape(4,-1,order='F') ; x.reshape([4,6]) ;
x.reshape((4,6),copy=None) ; s.reshape(()) ; x.reshape(np.int64(24)) ; x.ravel() ; x.ravel('F') ;
x.ravel(order='A') ; x.flatten() ; x.flatten('F') ; x.flatten(order='K') ; x.flatten(order='A') ;
x.transpose() ; x.transpose(1,0,2) ; x.transpose((1,0,2)) ; x.transpose(None) ; x.T ; x.mT ;
x.swapaxes(0,1) ; x.swapaxes(0,2) ; z.squeeze() ; z.squeeze(0) ; z.squeeze(axis=-1) ;
v.repeat(2) ; x.repeat(2,0) ; x.repeat([1,2],axis=0) ; x.repeat(repeats=2,axis=0) ;
m.diagonal() ; x.diagonal(0,1,2) ; x.diagonal(offset=1) ; m.trace() ; x.trace(0,1,2) ;
x.trace(offset=1,dtype=g) ; x.copy() ; x.copy('F') ; x.copy(order='K') ; x.astype(f32) ;
x.astype(int) ; x.astype(bool) ; x.astype(f32,copy=False) ;
x.astype(float,'K','unsafe',True,True) ;
x.astype(dtype=f32,order='C',casting='same_kind',subok=False,copy=False) ;
x.astype('float32',casting='unsafe') ; x.take([0,1]) ; x.take([0,1],1) ;
x.take(indices=[0],axis=2,mode='clip') ; v.compress([0,1,1]) ; x.compress([0,1,1],axis=1) ;
x.compress(condition=[0,1],axis=0) ; (v>1).astype(int).choose([v,w]) ; m@n ; m@u ; u@m ; u@u2 ;
k@m ; m@k ; [1.,2,3]@m ; m.dot(n) ; x.conj() ; x.conjugate() ; x.real ; x.imag ; x.max(1) ;
x.min(initial=.1) ; x.itemsize ; x.nbytes ; x.strides ; x.shape ; x.size ; x.ndim ; x.dtype ;
len(x)
"""

# indices
INDEX = r"""
s[()] ; s[...] ; s[None] ; s[True] ; e[:0] ; v[[0,0,0]] ; v[np.array([[0,1],[0,1]])] ; v[i] ;
v[-2:] ; v[1:-1:2] ; v[::-2] ; [a for a in b]
"""

# padding
PAD = r"""
np.pad(v,2) ; np.pad(v,2,'constant',constant_values=3) ;
np.pad(b,1,constant_values=((1,2),(3,4))) ; np.pad(b,1,constant_values=(1,2)) ;
np.pad(b,1,constant_values=[[1],[2]]) ; np.pad(v,2,'constant',constant_values=s) ;
np.pad(v,1,'reflect',reflect_type='even') ; np.pad(v,2,'reflect',reflect_type='odd') ;
np.pad(b,6,'reflect',reflect_type='odd') ; np.pad(v,1,'symmetric',reflect_type='odd') ;
np.pad(b,3,'symmetric',reflect_type='odd')
"""

# sliding windows
WINDOWS = r"""
np.lib.stride_tricks.sliding_window_view(v,3) ; np.lib.stride_tricks.sliding_window_view(x,2,1) ;
np.lib.stride_tricks.sliding_window_view(x,(2,2),(0,2)) ;
np.lib.stride_tricks.sliding_window_view(x,window_shape=(1,2,2)) ;
np.lib.stride_tricks.sliding_window_view(x,2,axis=-1) ;
np.lib.stride_tricks.sliding_window_view(v,3,subok=False,writeable=False) ;
np.lib.stride_tricks.sliding_window_view(v,(3,)) ;
np.lib.stride_tricks.sliding_window_view(x,(2,2),axis=(2,2)) ;
np.lib.stride_tricks.sliding_window_view(v,[2])
"""

# Einstein's notation
EINSUM = r"""
np.einsum('ij,jk->ik',m,n) ; np.einsum('ij,jk',m,n) ; np.einsum('ii',m) ; np.einsum('ii->i',m) ;
np.einsum('ij->ji',m) ; np.einsum('ba',m) ; np.einsum('...ij,...jk->...ik',k,m) ;
np.einsum('...ij,j',k,u) ; np.einsum('i...->...',x) ; np.einsum('...',x) ;
np.einsum('i,i',u,u2) ; np.einsum('i,j->ij',v,u) ; np.einsum('ijk->',x) ;
np.einsum('ij,ij,ij->i',m,n,m) ; np.einsum(m,[0,1],n,[1,2],[0,2]) ; np.einsum(m,[0,1],n,[1,2]) ;
np.einsum(m,[0,0]) ; np.einsum(k,[Ellipsis,0,1],u,[1],[Ellipsis,0]) ; np.einsum(m,[0,1],[1,0]) ;
np.einsum('ij,jk,kl->il',m,n,m,optimize=True) ;
np.einsum('ij,jk,kl->il',m,n,m,optimize='greedy') ;
np.einsum('ij,jk,kl->il',m,n,m,optimize='optimal') ;
np.einsum('ij,jk,kl->il',m,n,m,optimize=['einsum_path',(0,1),(0,1)]) ;
np.einsum('ij,jk,kl->il',m,n,m,optimize=('greedy',1000)) ;
np.einsum('ij,jk',m,n,out=None,order='K',casting='safe',dtype=None) ;
np.einsum('ij,jk',m,n,dtype=g) ; np.einsum('ij,jk',m,n,order='F') ;
np.einsum(' i j , j k -> i k ',m,n) ; np.einsum('ij,jk->ik',m,n,optimize=False) ;
np.einsum('i,->i',v,s) ; np.einsum(',i',2.,v) ; np.einsum('...i,...i',x,r) ;
np.einsum('iJ,JK',m,n) ; np.einsum('ij,jk',m,n,casting='same_kind',dtype=f32) ;
np.einsum('i,i->i',[1,2,3],u)
"""

# numpy.linalg
LINALG = r"""
np.linalg.norm(x) ; np.linalg.norm(x,keepdims=True) ; np.linalg.norm(x=x,axis=1) ;
np.linalg.norm(x,axis=(0,1)) ; np.linalg.norm(s) ; np.linalg.norm(x,None,None,True) ;
np.linalg.norm(m,'f') ; np.linalg.matrix_transpose(x) ; np.linalg.diagonal(x,offset=1) ;
np.linalg.trace(x,offset=1,dtype=f32) ; np.linalg.vecdot(x,y) ; np.linalg.vecdot(x,y,axis=1) ;
np.linalg.matmul(m,n) ; np.linalg.outer(v,u) ; np.linalg.tensordot(x,y,axes=3) ;
np.linalg.cross(u,u2) ; np.linalg.cross(x,y,axis=1) ; np.linalg.inv(m) ; np.linalg.inv(k) ;
np.linalg.inv(a=m) ; np.linalg.pinv(t) ; np.linalg.pinv(t,1e-10) ; np.linalg.pinv(t,rtol=1e-10) ;
np.linalg.pinv(t,rcond=1e-8,hermitian=False) ; np.linalg.pinv(x) ; np.linalg.pinv(a=t) ;
np.linalg.pinv(x,rcond=np.array([1e-8,1e-9])) ; np.linalg.pinv(m+m.T,hermitian=True) ;
np.linalg.det(m) ; np.linalg.det(k) ; np.linalg.det(a=m) ; np.linalg.slogdet(m) ;
np.linalg.slogdet(k) ; np.linalg.solve(m,u) ; np.linalg.solve(m,n) ; np.linalg.solve(k,k) ;
np.linalg.solve(k,u) ; np.linalg.solve(a=m,b=u) ; np.linalg.solve(m,k) ;
np.linalg.solve(m,[1.,2,3]) ; np.linalg.cholesky(S) ; np.linalg.cholesky(S,upper=True) ;
np.linalg.cholesky(np.stack([S,2*S])) ; np.linalg.qr(b) ; np.linalg.qr(t,'reduced') ;
np.linalg.qr(t,mode='r') ; np.linalg.qr(x) ; np.linalg.eigh(S) ; np.linalg.eigh(a=S,UPLO='L') ;
np.linalg.eigvalsh(S) ; np.linalg.eigvalsh(S,'U') ; np.linalg.eigvalsh(a=S,UPLO='u') ;
np.linalg.eigvalsh(np.stack([S,S*2])) ; np.linalg.svd(m) ; np.linalg.svd(t,False) ;
np.linalg.svd(t,full_matrices=False,compute_uv=True) ; np.linalg.svd(t,compute_uv=False) ;
np.linalg.svd(t,True,False) ; np.linalg.svd(x,full_matrices=False) ;
np.linalg.svd(b,False,True,False) ; np.linalg.svdvals(t) ; np.linalg.svdvals(x) ;
np.linalg.svd(S,hermitian=True) ; np.linalg.svd(S,compute_uv=False,hermitian=True) ;
np.linalg.matrix_power(m,3) ; np.linalg.matrix_power(k,2) ; np.linalg.matrix_power(m,0) ;
np.linalg.matrix_power(m,-2) ; np.linalg.matrix_power(a=m,n=1) ;
np.linalg.matrix_power(m,np.int64(2)) ; np.linalg.multi_dot([m,n,m]) ;
np.linalg.multi_dot([u,m,n]) ; np.linalg.multi_dot((u,m,u2)) ; np.linalg.multi_dot([b,t]) ;
np.linalg.multi_dot([m,n,m,u],out=None) ; np.linalg.cond(m) ; np.linalg.cond(m,1) ;
np.linalg.cond(m,'fro') ; np.linalg.cond(m,-2) ; np.linalg.cond(k,np.inf) ;
np.linalg.matrix_rank(m) ; np.linalg.matrix_rank(k,tol=.1) ;
np.linalg.matrix_rank(m,hermitian=False) ; np.linalg.matrix_rank(m,rtol=.1) ;
np.linalg.tensorinv(a4.reshape(4,6)[:,:4].reshape(2,2,2,2)) ;
np.linalg.tensorsolve(a4.ravel()[:16].reshape(2,2,4)+np.eye(4).reshape(2,2,4),b[:2,:2]) ;
np.linalg.lstsq(t,r)[0] ; np.linalg.lstsq(t,r,None) ; np.linalg.lstsq(t,t,rcond=1e-8)[:2]
"""

ALL = "\n;".join([FUNCTIONS, METHODS, INDEX, PAD, WINDOWS, EINSUM, LINALG])
SPELLINGS = [call.strip() for call in ALL.split(";") if call.strip()]
