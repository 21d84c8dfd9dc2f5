from conftest import *
from conftest import _labelled_docs
import test_topics as tt
from test_topics import *
def test_dbg(backend,docs,embeddings,doc_labels):
  for n in (None,48,32):
   for k in (7,9,12,15,20):
    for ni in (3,10):
     out=[]
     for seed in (0,1,2,3):
        m=build_topic_model(backend,n_features_to_select=n,hdbscan_model=KMeans(k,n_init=ni,random_state=seed),vectorizer_model=words()).fit(docs,embeddings)
        ok=[w in words_of(m,topic_of(m,q)) for q,w in QUERIES.items()]
        tr=m.transform(NEW_DOCS)[0]
        ok+=["filter" in words_of(m,tr[0]),"sparse" in words_of(m,tr[1])]
        out.append((round(normalized_mutual_info_score(doc_labels,m.topics_),2),sum(ok)))
     print(n,k,ni,out)
