#pragma D option destructive
BEGIN{printf("%d %s %x %u %o %i\n",1,"a",2,3,4,5);}
BEGIN{printf("%lld %ld %lx %llx\n",(long long)1,(long)1,(long)1,(int64_t)1);}
BEGIN{printf("%llu %lu %llx\n",timestamp,timestamp,timestamp);}
BEGIN{printf("%Y %p %a\n",walltimestamp,curthread,curthread);}
BEGIN{printf("%hd %hu %hx\n",(short)1,(unsigned short)1,(short)3);}
BEGIN{@a6[1]=count();@b6[1]=sum(1);printa("%d %@d %@d %@d\n",@a6,@b6);}
BEGIN{@a7[1]=count();printa("%@x %@u %@o %@p\n",@a7);}
BEGIN{@a8[1]=quantize(3);printa("%@d\n",@a8);}
BEGIN{@a9[5,"x"]=count();printa("%*s\n",@a9);}
BEGIN{commit(1);system("x");}
BEGIN{system("x");commit(1);}
BEGIN{discard(1);trace(1);}
BEGIN{trace(1);discard(1);}
BEGIN{x=1;commit(1);}
BEGIN{tracemem(curthread,10,5);}
BEGIN{printf("%c%c\n",'a',(char)98);}
BEGIN{printf("%wc\n",65);}
BEGIN{printf("%-05d|%#x|%+d|% d\n",1,2,3,4);}
BEGIN{printf("%?p %?x\n",curthread,1);}
BEGIN{@n20=lquantize(1,5,6,1);}
BEGIN{trace(curthread);}
